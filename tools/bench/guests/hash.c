/* A hash map with open addressing: puts and looks up. */
#include "runtime.h"
#define SLOTS (1 << 17)
static u64 keys[SLOTS], values[SLOTS];
static u64 *find(u64 key) {
  u64 slot = (key * 11400714819323198485ul) >> 47;
  while (keys[slot] != 0 && keys[slot] != key) slot = (slot + 1) & (SLOTS - 1);
  keys[slot] = key;
  return &values[slot];
}
u64 work(void) {
  u64 sum = 0, state = 7;
  for (int round = 0; round < 40; round++) {
    memset(keys, 0, sizeof keys);
    for (int i = 0; i < 40000; i++) *find(next_random(&state) | 1) = (u64)i;
    u64 again = state;
    for (int i = 0; i < 400000; i++) sum += *find((next_random(&again) % 30000) * 2 + 1) + (u64)i;
  }
  return sum;
}
