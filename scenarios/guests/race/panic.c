// The ends: a panic, which shows what the registers held, and switching off.
// RISC-V Privileged Architecture, 3.1.15 (Machine Cause Register).

#include "race.h"

#define TEST ((volatile uint32_t *)0x100000ul) // the board's test device: one word ends the machine

enum { PASS = 0x5555, FAIL = 0x3333, BREAKPOINT = 3, LOAD_ACCESS_FAULT = 5, STORE_ACCESS_FAULT = 7 };

#define csr_read(csr) ({ uint64_t value_; asm volatile("csrr %0, " #csr : "=r"(value_)); value_; })

void power_off(unsigned code) {
  *TEST = code == 0 ? PASS : code << 16 | FAIL;
  for (;;) asm volatile("wfi");
}

static const char *cause_name(uint64_t cause) {
  switch (cause) {
  case BREAKPOINT:
    return "breakpoint";
  case LOAD_ACCESS_FAULT:
    return "load access fault";
  case STORE_ACCESS_FAULT:
    return "store access fault";
  default:
    return "trap";
  }
}

// Entered from entry.S with x1 to x31 at `registers`; x0's place is unused.
_Noreturn void panic(const uint64_t *registers) {
  static const char *const names[32] = {"",   "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0",  "s1",  "a0",
                                        "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3",  "s4",  "s5",
                                        "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  uint64_t cause = csr_read(mcause);
  console_print("\npanic: hart %u: %s (%u), pc %x, address %x\n", csr_read(mscratch), cause_name(cause), cause,
                csr_read(mepc), csr_read(mtval));
  for (unsigned n = 1; n < 32; n++)
    console_print("%s%s %x%s", names[n][2] ? "" : " ", names[n], registers[n], n % 4 == 3 ? "\n" : "  ");
  power_off(3);
}
