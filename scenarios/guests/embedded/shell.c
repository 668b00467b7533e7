// The prompt: one line, one command.

#include "embedded.h"

static void stat(void) {
  console_print("time: %u microseconds\n", clint_time() / 10);
  for (unsigned n = 0; n < hart_count; n++)
    console_print("hart %u: %u jobs, %u timer, %u software and %u device interrupts\n", (uint64_t)n, harts[n].jobs,
                  harts[n].timer_interrupts, harts[n].software_interrupts, harts[n].external_interrupts);
  journal_describe();
}

// There is nothing at address 0 on this board.
static void store_to_nowhere(void *nowhere) { *(volatile uint64_t *)nowhere = 1; }

static void crash(void) {
  if (guard_call(store_to_nowhere, NULL)) {
    console_print("crash: nothing happened\n");
    return;
  }
  const char *name = trap_name(self->fault_cause);
  console_print("crash: %s, pc %16x, address %16x, caught\n", name, self->fault_pc, self->fault_value);
  journal_append(RECORD_CRASH, name);
}

void shell_run(void) {
  static char line[1001];
  for (;;) {
    console_print("journal> ");
    console_read_line(line, sizeof line);
    if (text_starts(line, "add ")) {
      journal_append(RECORD_NOTE, line + 4);
    } else if (text_equal(line, "list")) {
      journal_list();
    } else if (text_equal(line, "stat")) {
      stat();
    } else if (text_equal(line, "crash")) {
      crash();
    } else if (text_equal(line, "quit")) {
      console_print("bye\n");
      power_off();
    } else if (line[0]) {
      console_print("commands: add TEXT, list, stat, crash, quit\n");
    }
  }
}
