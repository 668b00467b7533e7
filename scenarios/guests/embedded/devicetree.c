// Reads the flattened device tree that the board leaves in memory: how many harts there are, and the boot arguments.
// Devicetree Specification 0.4, chapter 5.

#include "embedded.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4 };

unsigned devicetree_harts = 0;
const char *devicetree_bootargs = "";

// Everything in the tree is big-endian.
static uint32_t word(const uint8_t *at) { return __builtin_bswap32(*(const uint32_t *)at); }

static const uint8_t *align(const uint8_t *at) { return (const uint8_t *)(((uintptr_t)at + 3) & ~3ul); }

void devicetree_read(const void *blob) {
  const uint8_t *base = blob;
  if (word(base) != 0xd00dfeed) return;
  const uint8_t *at = base + word(base + 8);
  const char *names = (const char *)base + word(base + 12);
  int depth = 0;
  bool in_cpus = false, in_chosen = false; // inside /cpus, inside /chosen
  for (;;) {
    uint32_t token = word(at);
    at += 4;
    if (token == BEGIN_NODE) {
      const char *name = (const char *)at;
      depth++; // the root is 1, /cpus is 2, /cpus/cpu@0 is 3
      if (depth == 2) in_cpus = text_equal(name, "cpus");
      if (depth == 2) in_chosen = text_equal(name, "chosen");
      if (depth == 3 && in_cpus && text_starts(name, "cpu@")) devicetree_harts++;
      at = align(at + strlen(name) + 1);
    } else if (token == PROPERTY) {
      uint32_t length = word(at);
      const char *name = names + word(at + 4);
      at += 8;
      if (depth == 2 && in_chosen && text_equal(name, "bootargs")) devicetree_bootargs = (const char *)at;
      at = align(at + length);
    } else if (token == END_NODE) {
      depth--;
    } else if (token != NOP) {
      return; // the end
    }
  }
}
