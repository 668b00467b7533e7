// The core-local interruptor: one clock for all harts, an alarm for each, and a bell for each.
// SiFive FU540-C000 Manual, chapter 9.

#include "embedded.h"

#define CLINT 0x2000000ul
#define MSIP ((volatile uint32_t *)CLINT)
#define MTIMECMP ((volatile uint64_t *)(CLINT + 0x4000))
#define MTIME ((volatile uint64_t *)(CLINT + 0xbff8))

enum { SLICE_TICKS = 1000 }; // 100 microseconds

uint64_t clint_time(void) { return *MTIME; }

// The alarm stays on until mtimecmp is later than mtime again, so setting the next one also silences this one.
void clint_slice_start(void) { MTIMECMP[self->id] = *MTIME + SLICE_TICKS; }

void clint_slice_stop(void) { MTIMECMP[self->id] = ~0ul; }

void clint_send(unsigned hart) {
  asm volatile("fence rw, o" ::: "memory"); // what we wrote to memory must be visible before the bell rings
  MSIP[hart] = 1;
}

void clint_acknowledge(void) {
  MSIP[self->id] = 0;
  asm volatile("fence o, rw" ::: "memory");
}
