/* CRC-32 by table over 64 KiB, again and again. */
#include "runtime.h"
static u32 table[256];
static u8 data[65536];
u64 work(void) {
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  u64 state = 88172645463325252ul;
  for (int i = 0; i < 65536; i++) data[i] = (u8)next_random(&state);
  u32 crc = ~0u;
  for (int round = 0; round < 1500; round++)
    for (int i = 0; i < 65536; i++) crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
  return crc;
}
