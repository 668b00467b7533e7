// A spin lock that says whose it is.

#include "race.h"

void lock_acquire(struct lock *lock) {
  unsigned free = 0;
  while (!__atomic_compare_exchange_n(&lock->owner, &free, hart_self + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    free = 0;
}

void lock_release(struct lock *lock) { __atomic_store_n(&lock->owner, 0, __ATOMIC_RELEASE); }
