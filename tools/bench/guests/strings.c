/* Copies, lengths and comparisons of strings. */
#include "runtime.h"
static char text[4096], copy[4096];
static u64 length(const char *s) {
  const char *e = s;
  while (*e) e++;
  return (u64)(e - s);
}
static int compare(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (u8)*a - (u8)*b;
}
u64 work(void) {
  u64 sum = 0, state = 5;
  for (int i = 0; i < 4095; i++) text[i] = (char)('a' + next_random(&state) % 26);
  for (int round = 0; round < 20000; round++) {
    memcpy(copy, text, 4096);
    copy[round % 4095] ^= 1;
    sum += length(copy) + (u64)compare(copy, text);
  }
  return sum;
}
