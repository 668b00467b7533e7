// The desk and the worker.

#include "race.h"

enum { OPENING = 50000 }; // 5 ms, in ticks of 100 ns
enum { DAYS = 4, JOBS_OF_A_DAY = 60000, JOB_ROUNDS = 16, WITHDRAWN_OF = 16 };

bool is_fixed;

static uint64_t done, withdrawn; // done: written by the worker, withdrawn: by the desk
static uint64_t sum;             // of the results, by the worker

static uint64_t random_state = 0x9e3779b97f4a7c15;

// xorshift64: never zero, period 2^64 - 1.
static uint64_t random_next(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

// The work: FNV-1a over the job's words, again and again.
static uint64_t job_work(const struct job *job) {
  uint64_t value = job->number;
  for (unsigned round = 0; round < JOB_ROUNDS; round++)
    for (unsigned n = 0; n < JOB_WORDS; n++) value = (value ^ job->words[n]) * 0x100000001b3;
  return value;
}

// Opens a job, writes what is to be done, and tries it. One of sixteen turns out to be nothing for the worker.
static void desk_serve(void) {
  struct job *job = job_open();
  for (unsigned n = 0; n < JOB_WORDS; n++) job->words[n] = random_next();
  if ((job_work(job) >> 32) % WITHDRAWN_OF == 0) {
    job_withdraw(job);
    withdrawn++;
    return;
  }
  tray_put(job);
  hart_call(1);
}

_Noreturn void desk(const void *device_tree) {
  is_fixed = boot_argument(device_tree, "fixed");
  console_print("race: a desk and a worker%s\n", is_fixed ? ", fixed" : "");
  jobs_begin();
  hart_call(1);
  hart_sleep_until(OPENING); // what comes after does not depend on how long the device tree is
  for (unsigned day = 1; day <= DAYS; day++) {
    for (unsigned n = 0; n < JOBS_OF_A_DAY; n++) desk_serve();
    uint64_t open = jobs_check();
    uint64_t closed = __atomic_load_n(&done, __ATOMIC_ACQUIRE);
    console_print("day %u: %u jobs done, %u withdrawn, %u open\n", day, closed, withdrawn, open);
  }
  while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) + withdrawn < DAYS * JOBS_OF_A_DAY) continue;
  console_print("race: done, sum %x, %u jobs open\n", sum, jobs_check());
  power_off(0);
}

_Noreturn void worker(void) {
  for (;;) {
    hart_answer();
    while (!tray_is_empty()) {
      struct job *job = tray_take();
      job->result = job_work(job);
      sum += job->result;
      job_close(job);
      __atomic_store_n(&done, done + 1, __ATOMIC_RELEASE);
    }
    asm volatile("wfi" ::: "memory");
  }
}
