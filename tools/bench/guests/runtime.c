/* Start, console and end of a benchmark guest: M-mode on QEMU's virt board, no firmware. */
#include "runtime.h"

#define UART ((volatile u8 *)0x10000000)
#define FINISHER ((volatile u32 *)0x100000)

__asm__(".section .init\n"
        ".global _start\n"
        "_start:\n"
        "  csrr t0, mhartid\n"
        "  la sp, stack_top\n"
        "  slli t1, t0, 16\n"
        "  sub sp, sp, t1\n"
        "  li t2, 0x6000\n"
        "  csrs mstatus, t2\n"
        "  la t2, trap_vector\n"
        "  csrw mtvec, t2\n"
        "  bnez t0, 1f\n"
        "  call start\n"
        "1: call second\n"
        "2: wfi\n"
        "  j 2b\n"
        ".align 2\n"
        ".weak trap_vector\n"
        "trap_vector: j trap_vector\n");

__attribute__((weak)) void second(void) {}

void *memcpy(void *to, const void *from, u64 bytes) {
  u8 *t = to;
  const u8 *f = from;
  if ((((u64)t | (u64)f) & 7) == 0)
    for (; bytes >= 8; bytes -= 8, t += 8, f += 8) *(u64 *)t = *(const u64 *)f;
  while (bytes--) *t++ = *f++;
  return to;
}

void *memset(void *to, int byte, u64 bytes) {
  u8 *t = to;
  while (bytes--) *t++ = (u8)byte;
  return to;
}

static void print(const char *text) {
  while (*text) *UART = (u8)*text++;
}

void start(void) {
  print("bench-begin\n");
  u64 sum = work();
  print("bench-end ");
  for (int shift = 60; shift >= 0; shift -= 4) *UART = (u8) "0123456789abcdef"[(sum >> shift) & 15];
  print("\n");
  *FINISHER = 0x5555;
  for (;;) {}
}

u8 stacks[1 << 18] __attribute__((aligned(16)));
__asm__(".global stack_top\n.set stack_top, stacks + 0x40000");
