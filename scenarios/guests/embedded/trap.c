// What a hart does when something interrupts it.
// RISC-V Privileged Architecture, 3.1.15 (Machine Cause Register).

#include "embedded.h"

enum { INTERRUPT_SOFTWARE = 3, INTERRUPT_TIMER = 7, INTERRUPT_EXTERNAL = 11 };

const char *trap_name(uint64_t cause) {
  static const char *const names[] = {
      "instruction address misaligned", "instruction access fault", "illegal instruction",  "breakpoint",
      "load address misaligned",        "load access fault",        "store address misaligned", "store access fault",
      "call from user mode",            "call from supervisor mode", "unknown",              "call from machine mode",
      "instruction page fault",         "load page fault",          "unknown",              "store page fault",
  };
  return cause < sizeof names / sizeof *names ? names[cause] : "unknown";
}

static void interrupt_handle(uint64_t number) {
  switch (number) {
  case INTERRUPT_SOFTWARE:
    self->software_interrupts++;
    clint_acknowledge(); // its whole message is "wake up and look"
    break;
  case INTERRUPT_TIMER:
    self->timer_interrupts++;
    clint_slice_start();
    break;
  case INTERRUPT_EXTERNAL:
    self->external_interrupts++;
    plic_handle();
    break;
  }
}

// Called from entry.S with interrupts off. Handlers take no locks: the code they interrupted may hold them.
void trap_handle(void) {
  uint64_t cause = csr_read(mcause);
  if ((int64_t)cause < 0) {
    interrupt_handle(cause & 0xff);
    return;
  }
  if (self->guard) {
    self->fault_cause = cause;
    self->fault_value = csr_read(mtval);
    self->fault_pc = self->pc;
    self->pc = (uint64_t)guard_leave;
    self->registers[4] = (uint64_t)self; // the fault may come from a lower mode, where tp is something else
    csr_set(mstatus, MSTATUS_MPP_MACHINE);
    return;
  }
  console_print("\nhart %u: %s at pc 0x%16x, value 0x%16x\n", self->id, trap_name(cause), self->pc, csr_read(mtval));
  power_off_failed(FAILED_TRAP);
}
