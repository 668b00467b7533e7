// One hart puts in, one takes out: each writes one of the two counts, so that this needs no lock.

#include "race.h"

enum { TRAY_SIZE = 64 };

static struct job *tray[TRAY_SIZE];
static unsigned tray_filled, tray_emptied;

void tray_put(struct job *job) {
  while (tray_filled - __atomic_load_n(&tray_emptied, __ATOMIC_ACQUIRE) == TRAY_SIZE) continue;
  tray[tray_filled % TRAY_SIZE] = job;
  __atomic_store_n(&tray_filled, tray_filled + 1, __ATOMIC_RELEASE);
}

bool tray_is_empty(void) { return __atomic_load_n(&tray_filled, __ATOMIC_ACQUIRE) == tray_emptied; }

struct job *tray_take(void) {
  struct job *job = tray[tray_emptied % TRAY_SIZE];
  __atomic_store_n(&tray_emptied, tray_emptied + 1, __ATOMIC_RELEASE);
  return job;
}
