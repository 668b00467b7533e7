/* Two harts count under a spinlock and by atomic additions. */
#include "runtime.h"
static volatile u32 lock, ready;
static u64 counter, guarded;
static void count(u64 times) {
  for (u64 i = 0; i < times; i++) {
    __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
    if (i % 8 != 0) continue;
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {}
    guarded++;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  }
}
#define TIMES 10000000
void second(void) {
  count(TIMES);
  __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
}
u64 work(void) {
  count(TIMES);
  while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {}
  return counter * 1000 + guarded;
}
