// The harts: how the first one wakes the others, and what they do from then on.

#include "embedded.h"

struct hart harts[HARTS_MAX] __attribute__((aligned(16)));
unsigned hart_count = 1;

static unsigned joined;

static void hart_begin(unsigned id) {
  self->id = id;
  clint_slice_stop();
  csr_write(mie, MIE_SOFTWARE | MIE_TIMER | MIE_EXTERNAL);
  csr_set(mstatus, MSTATUS_MIE | MSTATUS_FS_INITIAL);
  // Without a PMP entry S-mode and U-mode may touch nothing. This one is all of memory, for everything.
  csr_write(pmpaddr0, ~0ul >> 10);
  csr_write(pmpcfg0, 0x1f);
}

// Entered from entry.S by every hart but the first.
_Noreturn void hart_join(uint64_t id) {
  clint_acknowledge();
  hart_begin(id);
  __atomic_fetch_add(&joined, 1, __ATOMIC_RELEASE);
  clint_send(0);
  work_forever();
}

void harts_wake(unsigned count) {
  hart_begin(0);
  hart_count = count;
  for (unsigned id = 1; id < count; id++) clint_send(id);
  SLEEP_UNTIL(__atomic_load_n(&joined, __ATOMIC_ACQUIRE) == count - 1);
}
