// The order of things, on hart 0.

#include "embedded.h"

static void entropy_describe(void) {
  uint8_t bytes[16];
  if (entropy_read(bytes, sizeof bytes))
    console_print("entropy: 16 bytes, crc32 %8x\n", (uint64_t)crc32(0, bytes, sizeof bytes));
  else
    console_print("entropy: no device\n");
}

_Noreturn void main(const void *devicetree) {
  crc32_prepare();
  devicetree_read(devicetree);
  console_open();
  console_print("\nChronovisor's embedded guest\n");
  unsigned count = devicetree_harts == 0 ? 1 : devicetree_harts > HARTS_MAX ? HARTS_MAX : devicetree_harts;
  harts_wake(count);
  console_print("harts: %u awake\n", (uint64_t)count);
  console_print("boot arguments: %s\n", *devicetree_bootargs ? devicetree_bootargs : "none");
  entropy_describe();
  if (!checks_run()) power_off_failed(FAILED_CHECK);
  journal_append_boot();
  if (journal_asks_autoquit() || text_contains(devicetree_bootargs, strlen(devicetree_bootargs), "auto")) {
    console_print("autoquit: bye\n");
    power_off();
  }
  shell_run();
}
