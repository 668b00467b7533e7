// One third is not a binary fraction: the five rounding modes must round it each in its way and say "inexact".
// RISC-V Unprivileged Architecture, F extension (Floating-Point Control and Status Register).

#include "embedded.h"

enum { TOWARD_POSITIVE = 3, MODES = 5, INEXACT = 1 };

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

bool rounding_check(void) {
  static const char *const names[MODES] = {"to even", "to zero", "down", "up", "to larger"};
  const uint64_t below = 0x3fd5555555555555, above = 0x3fd5555555555556;
  bool right = true;
  for (uint64_t mode = 0; mode < MODES; mode++) {
    double third;
    csr_write(fcsr, mode << 5); // and no flags
    asm volatile("fdiv.d %0, %1, %2" : "=f"(third) : "f"(1.0), "f"(3.0));
    uint64_t flags = csr_read(fflags);
    right &= flags == INEXACT && bits_of(third) == (mode == TOWARD_POSITIVE ? above : below);
    console_print("rounding: 1/3 = %16x %s\n", bits_of(third), names[mode]);
  }
  csr_write(fcsr, 0);
  // A fused multiply-add rounds once, so it can compute what the division lost, without any error.
  double lost;
  asm volatile("fmsub.d %0, %1, %2, %3" : "=f"(lost) : "f"(0x1.5555555555555p-2), "f"(3.0), "f"(1.0));
  console_print("rounding: 3 * (1/3) - 1 = %16x in one step\n", bits_of(lost));
  return right && bits_of(lost) == 0xbc90000000000000;
}
