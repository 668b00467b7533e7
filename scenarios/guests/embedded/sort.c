// A job: fill memory with random numbers, sort them with a heap, and sum up the result.

#include "embedded.h"

// Moves the number at `root` down until none below it is larger.
static void sift_down(uint64_t *numbers, size_t root, size_t count) {
  uint64_t moving = numbers[root];
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && numbers[child + 1] > numbers[child]) child++;
    if (numbers[child] <= moving) break;
    numbers[root] = numbers[child];
    root = child;
  }
  numbers[root] = moving;
}

uint64_t sort_run(uint64_t index) {
  uint64_t *numbers = work_scratch();
  uint64_t state = index + 1;
  for (size_t n = 0; n < SCRATCH_WORDS; n++) numbers[n] = random_next(&state);
  for (size_t root = SCRATCH_WORDS / 2; root-- > 0;) sift_down(numbers, root, SCRATCH_WORDS);
  for (size_t left = SCRATCH_WORDS - 1; left > 0; left--) {
    uint64_t largest = numbers[0];
    numbers[0] = numbers[left];
    numbers[left] = largest;
    sift_down(numbers, 0, left);
  }
  return crc32(0, numbers, SCRATCH_WORDS * sizeof *numbers);
}
