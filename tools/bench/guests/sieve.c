/* The sieve of Eratosthenes. */
#include "runtime.h"
#define LIMIT 2000000
static u8 composite[LIMIT];
u64 work(void) {
  u64 primes = 0;
  for (int round = 0; round < 30; round++) {
    memset(composite, 0, LIMIT);
    primes = 0;
    for (u64 i = 2; i < LIMIT; i++) {
      if (composite[i]) continue;
      primes++;
      for (u64 j = i * i; j < LIMIT; j += i) composite[j] = 1;
    }
  }
  return primes;
}
