// Work that is there for whichever hart comes first: a queue, a lock to guard it, and a count of what it holds.

#include "embedded.h"

// A ticket lock: draw a number, wait until it is called. Unlike a simple flag it serves harts in the order they came.
struct lock {
  unsigned next, serving;
};

static void lock_acquire(struct lock *lock) {
  unsigned ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED); // one amoadd
  while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) continue;
}

static void lock_release(struct lock *lock) {
  __atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}

// Takes one from the count unless it is zero. No single AMO can do that "unless", so this is a load-reserved and a
// store-conditional: the store fails, and we look again, if anyone has written the count in between.
static bool count_take(unsigned *count) {
  unsigned found, left;
  asm volatile("1: lr.w.aq  %0, (%2)\n"
               "   beqz     %0, 2f\n"
               "   addi     %1, %0, -1\n"
               "   sc.w.rl  %1, %1, (%2)\n"
               "   bnez     %1, 1b\n"
               "2:"
               : "=&r"(found), "=&r"(left)
               : "r"(count)
               : "memory");
  return found != 0;
}

enum { QUEUE_SIZE = 64 };

static struct {
  struct lock lock;
  unsigned head, tail;
  struct job *jobs[QUEUE_SIZE];
} queue;

static unsigned waiting;          // jobs in the queue that nobody has claimed
static unsigned pushed, finished; // jobs ever
static uint64_t scratch[HARTS_MAX][SCRATCH_WORDS];

uint64_t *work_scratch(void) { return scratch[self->id]; }

// Precondition: at most QUEUE_SIZE jobs are unfinished.
void work_push(struct job *job) {
  lock_acquire(&queue.lock);
  queue.jobs[queue.tail++ % QUEUE_SIZE] = job;
  lock_release(&queue.lock);
  __atomic_fetch_add(&pushed, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&waiting, 1, __ATOMIC_RELEASE);
  for (unsigned hart = 0; hart < hart_count; hart++)
    if (hart != self->id) clint_send(hart);
}

bool work_one(void) {
  if (!count_take(&waiting)) return false;
  lock_acquire(&queue.lock);
  struct job *job = queue.jobs[queue.head++ % QUEUE_SIZE];
  lock_release(&queue.lock);
  job->result = job->run(job->index);
  self->jobs++;
  __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
  clint_send(0);
  return true;
}

static void work_all(void) {
  clint_slice_start(); // while a hart works, its timer interrupts it; while it idles, nothing does
  while (work_one()) continue;
  clint_slice_stop();
}

void work_finish(void) {
  work_all();
  SLEEP_UNTIL(__atomic_load_n(&finished, __ATOMIC_ACQUIRE) == pushed);
}

void work_forever(void) {
  for (;;) {
    work_all();
    SLEEP_UNTIL(__atomic_load_n(&waiting, __ATOMIC_ACQUIRE) != 0);
  }
}
