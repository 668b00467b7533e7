// The core-local interruptor has a bell for each hart. SiFive FU540-C000 Manual, chapter 9.

#include "race.h"

#define MSIP ((volatile uint32_t *)0x2000000ul)

void hart_call(unsigned hart) {
  asm volatile("fence rw, o" ::: "memory"); // what we wrote to memory must be visible before the bell rings
  MSIP[hart] = 1;
}

void hart_answer(void) {
  MSIP[hart_self] = 0;
  asm volatile("fence o, rw" ::: "memory");
}
