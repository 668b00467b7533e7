/* Supervisor mode under Sv39: reads over more pages than translation buffers hold, and pages that fault when first touched. */
#include "runtime.h"
#define PAGES 16384
static u64 root[512] __attribute__((aligned(4096)));
static u64 middle[512] __attribute__((aligned(4096)));
static u64 leaves[PAGES] __attribute__((aligned(4096)));
#define TOUCHED ((volatile u8 *)0x84000000)
/* A fault makes the entry valid and tries again. */
__asm__(".global trap_vector\n.align 2\ntrap_vector:\n"
        "  csrw mscratch, t0\n  csrr t0, mtval\n  csrw sscratch, t1\n"
        "  srli t0, t0, 12\n  li t1, 0x84000\n  sub t0, t0, t1\n  slli t0, t0, 3\n"
        "  la t1, leaves\n  add t0, t0, t1\n  ld t1, 0(t0)\n  ori t1, t1, 1\n  sd t1, 0(t0)\n"
        "  csrr t0, mtval\n  sfence.vma t0\n  csrr t1, sscratch\n  csrr t0, mscratch\n  mret\n");
u64 work(void) {
  root[0] = 0xcf;
  root[2] = ((u64)middle >> 12 << 10) | 1;
  for (u64 i = 0; i < 512; i++) middle[i] = ((0x80000000ul + (i << 21)) >> 12 << 10) | 0xcf;
  for (u64 i = 0; i < PAGES / 512; i++) middle[32 + i] = ((u64)&leaves[i * 512] >> 12 << 10) | 1;
  for (u64 i = 0; i < PAGES; i++) leaves[i] = ((0x84000000ul + (i << 12)) >> 12 << 10) | 0xce;
  __asm__ volatile("li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0\n"
                   "csrw satp, %0\n sfence.vma\n li t0, 0x1800\n csrc mstatus, t0\n li t0, 0x800\n csrs mstatus, t0\n"
                   "la t0, 1f\n csrw mepc, t0\n mret\n1:" ::"r"((8ul << 60) | ((u64)root >> 12)) : "t0", "memory");
  u64 sum = 0;
  for (int round = 0; round < 12; round++) {
    for (u64 i = 0; i < PAGES; i++) TOUCHED[i << 12] += (u8)(i + round);
    for (int walk = 0; walk < 8; walk++)
      for (u64 i = 0; i < PAGES; i++) sum += TOUCHED[((i * 7919) % PAGES) << 12];
    for (u64 i = 0; i < PAGES; i++) leaves[i] &= ~1ul;
    __asm__ volatile("sfence.vma" ::: "memory");
  }
  return sum;
}
