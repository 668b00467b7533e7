// The jobs that are open, and a mistake.

#include "race.h"

struct link open_jobs;
struct lock open_lock;
static uint64_t jobs_opened;

void jobs_begin(void) {
  list_begin(&open_jobs);
  pool_begin();
}

static void job_unlink(struct job *job) {
  lock_acquire(&open_lock);
  list_remove(&job->link);
  lock_release(&open_lock);
}

struct job *job_open(void) {
  struct job *job = pool_take();
  job->number = ++jobs_opened;
  lock_acquire(&open_lock);
  list_append(&open_jobs, &job->link);
  lock_release(&open_lock);
  return job;
}

// The worker has done a job.
void job_close(struct job *job) {
  job_unlink(job);
  pool_give(job);
}

// The desk takes back a job that it has not put into the tray. Nobody else knows of it, so nobody has to be locked out.
void job_withdraw(struct job *job) {
  if (is_fixed) job_unlink(job);
  else list_remove(&job->link);
  pool_give(job);
}

// Goes along the whole list: the next one of every job must point back to it. Returns how many there are.
uint64_t jobs_check(void) {
  uint64_t count = 0;
  lock_acquire(&open_lock);
  for (const struct link *link = open_jobs.next; link != &open_jobs; link = link->next) {
    if (link->next->previous != link) __builtin_trap();
    count++;
  }
  lock_release(&open_lock);
  return count;
}
