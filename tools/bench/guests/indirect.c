/* Calls through a table of functions. */
#include "runtime.h"
#define F(n, e) __attribute__((noinline)) static u64 f##n(u64 x) { return e; }
F(0, x + 1) F(1, x * 3) F(2, x ^ 0x55) F(3, x - 7) F(4, x >> 1) F(5, x | 1) F(6, x * 5 + 2) F(7, ~x)
static u64 (*volatile table[8])(u64) = {f0, f1, f2, f3, f4, f5, f6, f7};
u64 work(void) {
  u64 x = 1, state = 99;
  for (u64 i = 0; i < 40000000; i++) x = table[next_random(&state) & 7](x);
  return x;
}
