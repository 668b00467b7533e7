/* Adds, shifts, multiplies and branches over a few registers. */
#include "runtime.h"
u64 work(void) {
  u64 a = 1, b = 2, c = 3;
  for (u64 i = 0; i < 150000000; i++) {
    a = a * 6364136223846793005ul + 1442695040888963407ul;
    b ^= a >> 17;
    if (b & 1) c += b;
    else c -= a;
    b = (b << 5) | (b >> 59);
  }
  return a ^ b ^ c;
}
