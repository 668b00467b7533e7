// The core-local interruptor: a bell and an alarm for each hart. SiFive FU540-C000 Manual, chapter 9.

#include "race.h"

#define CLINT 0x2000000ul
#define MSIP ((volatile uint32_t *)CLINT)
#define MTIMECMP ((volatile uint64_t *)(CLINT + 0x4000))

enum { MIP_TIMER = 1 << 7 };

void hart_call(unsigned hart) {
  asm volatile("fence rw, o" ::: "memory"); // what we wrote to memory must be visible before the bell rings
  MSIP[hart] = 1;
}

void hart_answer(void) {
  MSIP[hart_self] = 0;
  asm volatile("fence o, rw" ::: "memory");
}

void hart_sleep_until(uint64_t time) {
  uint64_t pending;
  MTIMECMP[hart_self] = time;
  asm volatile("csrs mie, %0" ::"r"((uint64_t)MIP_TIMER));
  do asm volatile("wfi\n csrr %0, mip" : "=r"(pending)::"memory");
  while (!(pending & MIP_TIMER));
  asm volatile("csrc mie, %0" ::"r"((uint64_t)MIP_TIMER));
}
