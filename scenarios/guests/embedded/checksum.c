// A job: the checksum of random bytes, many times over.

#include "embedded.h"

enum { PASSES = 4 };

uint64_t checksum_run(uint64_t index) {
  uint64_t *words = work_scratch();
  uint64_t state = index + 1001;
  for (size_t n = 0; n < SCRATCH_WORDS; n++) words[n] = random_next(&state);
  uint32_t crc = 0;
  for (int pass = 0; pass < PASSES; pass++) crc = crc32(crc, words, SCRATCH_WORDS * sizeof *words);
  return crc;
}
