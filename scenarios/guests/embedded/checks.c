// The self-checks: every kind of job, spread over the harts, each with the checksum that its results must have.

#include "embedded.h"

enum { JOBS_MAX = 16 };

static struct {
  const char *name;
  uint64_t (*run)(uint64_t index);
  unsigned jobs;
  uint32_t expected; // crc32 over the results in order: whichever hart did the job, and however many there are
  struct job list[JOBS_MAX];
} checks[] = {
    {"sort", sort_run, 16, 0x75d80658, {}},
    {"checksum", checksum_run, 8, 0x9a56e44c, {}},
    {"orbit", orbit_run, 8, 0xdcafd4c7, {}},
    {"integral", integral_run, 8, 0x41b91bda, {}},
    {"paging", paging_run, 8, 0x24490624, {}},
};

enum { CHECKS = sizeof checks / sizeof *checks };

static void checks_start(void) {
  for (unsigned index = 0; index < JOBS_MAX; index++) // one of each kind in turn, so that the harts get a mixture
    for (unsigned n = 0; n < CHECKS; n++) {
      if (index >= checks[n].jobs) continue;
      struct job *job = &checks[n].list[index];
      *job = (struct job){checks[n].run, index, 0};
      work_push(job);
    }
}

static bool checks_judge(void) {
  unsigned right = 0;
  uint32_t total = 0;
  for (unsigned n = 0; n < CHECKS; n++) {
    uint32_t crc = 0;
    for (unsigned index = 0; index < checks[n].jobs; index++)
      crc = crc32(crc, &checks[n].list[index].result, sizeof(uint64_t));
    bool ok = crc == checks[n].expected;
    right += ok;
    total = crc32(total, &crc, sizeof crc);
    console_print("check: %s, %u jobs, first result %16x, crc32 %8x %s\n", checks[n].name, (uint64_t)checks[n].jobs,
                  checks[n].list[0].result, (uint64_t)crc, ok ? "ok" : "WRONG");
  }
  bool rounding = rounding_check();
  right += rounding;
  console_print("check: rounding %s\n", rounding ? "ok" : "WRONG");
  console_print("summary: %u of %u checks ok, checksum %8x\n", (uint64_t)right, (uint64_t)CHECKS + 1, (uint64_t)total);
  return right == CHECKS + 1;
}

bool checks_run(void) {
  checks_start();
  journal_open(); // meanwhile the other harts are at work, and the disk interrupts one of them
  work_finish();
  return checks_judge();
}
