// Bytes and strings. The first four have the names and meanings that the compiler expects of them.

#include "embedded.h"

void *memset(void *to, int byte, size_t size) {
  uint8_t *at = to;
  while (size--) *at++ = byte;
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  uint8_t *at = to;
  const uint8_t *source = from;
  while (size--) *at++ = *source++;
  return to;
}

int memcmp(const void *left, const void *right, size_t size) {
  const uint8_t *a = left, *b = right;
  for (; size; size--, a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

bool text_equal(const char *left, const char *right) {
  size_t length = strlen(left);
  return length == strlen(right) && memcmp(left, right, length) == 0;
}

bool text_starts(const char *text, const char *start) {
  while (*start)
    if (*text++ != *start++) return false;
  return true;
}

bool text_contains(const char *text, size_t size, const char *part) {
  size_t length = strlen(part);
  for (size_t at = 0; at + length <= size; at++)
    if (memcmp(text + at, part, length) == 0) return true;
  return false;
}
