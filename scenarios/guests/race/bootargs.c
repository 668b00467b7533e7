// Words of the boot arguments, from /chosen in the device tree. Devicetree Specification 0.4, chapter 5.

#include "race.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4 };
enum { HEADER_STRUCTURE = 8, HEADER_STRINGS = 12 };

static uint32_t big_endian(const uint8_t *at) { return at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

static size_t length_of(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

static bool is_equal(const char *text, const char *other) {
  while (*text && *text == *other) text++, other++;
  return *text == *other;
}

static bool has_word(const char *text, const char *word) {
  size_t length = length_of(word);
  while (*text) {
    size_t same = 0;
    while (same < length && text[same] == word[same]) same++;
    if (same == length && (text[same] == ' ' || text[same] == 0)) return true;
    while (*text && *text != ' ') text++;
    while (*text == ' ') text++;
  }
  return false;
}

// No property but that of /chosen is called "bootargs".
bool boot_argument(const void *device_tree, const char *word) {
  const uint8_t *tree = device_tree;
  const uint8_t *at = tree + big_endian(tree + HEADER_STRUCTURE);
  const char *strings = (const char *)tree + big_endian(tree + HEADER_STRINGS);
  for (;;) {
    uint32_t token = big_endian(at);
    at += 4;
    if (token == BEGIN_NODE) {
      at += (length_of((const char *)at) + 4) & ~3ul;
    } else if (token == PROPERTY) {
      uint32_t length = big_endian(at);
      if (is_equal(strings + big_endian(at + 4), "bootargs") && has_word((const char *)at + 8, word)) return true;
      at += 8 + ((length + 3) & ~3u);
    } else if (token != END_NODE && token != NOP) {
      return false;
    }
  }
}
