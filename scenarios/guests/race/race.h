// The whole program at a glance. Hart 0, the desk, opens jobs; hart 1, the worker, does them.

#ifndef RACE_H
#define RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- hart: which of the two runs ------------------------------------------------------------------------------------

register uint64_t hart_self asm("tp"); // its number, set in entry.S

void hart_call(unsigned hart);        // ends its WFI
void hart_answer(void);               // takes note of a call
void hart_sleep_until(uint64_t time); // in ticks of 100 ns

// ---- lock: one word, 0 when it is free, else the number of the hart that holds it + 1 --------------------------------

struct lock {
  unsigned owner;
};

void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);

// ---- list: a ring of links with a head, which is no element ----------------------------------------------------------

struct link {
  struct link *next, *previous;
};

void list_begin(struct link *head);
void list_append(struct link *head, struct link *link);
void list_remove(struct link *link);

// ---- job -------------------------------------------------------------------------------------------------------------

enum { JOB_WORDS = 4 };

struct job {
  struct link link; // in the list of open jobs
  uint64_t number;
  uint64_t result;
  uint64_t words[JOB_WORDS];
};

// Every job from its opening until it is done or withdrawn. Whoever touches a link holds the lock.
extern struct link open_jobs;
extern struct lock open_lock;

void jobs_begin(void);
struct job *job_open(void);
void job_withdraw(struct job *job);
void job_close(struct job *job);
uint64_t jobs_check(void);

// ---- pool: memory for jobs, used again as late as possible -----------------------------------------------------------

void pool_begin(void);
struct job *pool_take(void);
void pool_give(struct job *job);

// ---- tray: open jobs on their way from the desk to the worker --------------------------------------------------------

void tray_put(struct job *job);
struct job *tray_take(void);
bool tray_is_empty(void);

// ---- console, power, boot arguments ----------------------------------------------------------------------------------

void console_print(const char *format, ...); // knows %s, %u (64 bits, decimal), %x (16 hexadecimal digits)
_Noreturn void power_off(unsigned code);     // 0: all is well
bool boot_argument(const void *device_tree, const char *word);

extern bool is_fixed;

#endif
