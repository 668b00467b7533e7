// Memory for jobs. What is given back is filled with a pattern and goes to the end of the line: whoever still uses it
// then sees the pattern, and not somebody else's job.

#include "race.h"

enum { POOL_SIZE = 65536 };

#define PATTERN 0xa5a5a5a5a5a5a5a5

static struct job pool_jobs[POOL_SIZE];
static struct job *pool_line[POOL_SIZE];
static unsigned pool_given, pool_taken;
static struct lock pool_lock;

void pool_begin(void) {
  for (unsigned n = 0; n < POOL_SIZE; n++) pool_line[n] = &pool_jobs[n];
  pool_given = POOL_SIZE;
}

struct job *pool_take(void) {
  lock_acquire(&pool_lock);
  struct job *job = pool_line[pool_taken++ % POOL_SIZE];
  lock_release(&pool_lock);
  return job;
}

void pool_give(struct job *job) {
  for (uint64_t *at = (uint64_t *)job; at < (uint64_t *)(job + 1); at++) *at = PATTERN;
  lock_acquire(&pool_lock);
  pool_line[pool_given++ % POOL_SIZE] = job;
  lock_release(&pool_lock);
}
