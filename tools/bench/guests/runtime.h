/* What every benchmark guest has: `work` computes and gives a checksum, the runtime says when it begins and ends. */
#pragma once
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;
typedef long i64;

u64 work(void);

/* Hart 1 runs this beside `work`, where the program has one. */
void second(void);

static inline u64 next_random(u64 *state) {
  u64 x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static inline u64 bits_of(double value) {
  union {
    double value;
    u64 bits;
  } both = {value};
  return both.bits;
}

void *memcpy(void *to, const void *from, u64 bytes);
void *memset(void *to, int byte, u64 bytes);
