/* Environment calls from user mode to a handler in machine mode. */
#include "runtime.h"
__asm__(".global trap_vector\n.align 2\ntrap_vector:\n"
        "  csrr t0, mepc\n  addi t0, t0, 4\n  csrw mepc, t0\n"
        "  csrr t0, mcause\n  add a0, a0, t0\n  mret\n");
__attribute__((noinline)) static u64 enter_user(void) {
  /* PMP opens all memory; then user mode, on the same stack. */
  __asm__ volatile("li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0\n"
                   "li t0, 0x1800\n csrc mstatus, t0\n la t0, 1f\n csrw mepc, t0\n mret\n1:" ::: "t0", "memory");
  return 0;
}
u64 work(void) {
  enter_user();
  register u64 a0 __asm__("a0") = 1;
  for (u64 i = 0; i < 6000000; i++) __asm__ volatile("ecall" : "+r"(a0)::"t0", "memory");
  return a0;
}
