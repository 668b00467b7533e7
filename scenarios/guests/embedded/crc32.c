// CRC-32 with the reflected polynomial 0xedb88320, one byte at a time (IEEE 802.3, 3.2.9).

#include "embedded.h"

static uint32_t table[256];

void crc32_prepare(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; bit++) remainder = remainder >> 1 ^ (remainder & 1 ? 0xedb88320 : 0);
    table[byte] = remainder;
  }
}

uint32_t crc32(uint32_t before, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  uint32_t crc = ~before;
  while (size--) crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
  return ~crc;
}
