// The whole program at a glance: every noun, and what the other files may ask of it.

#ifndef EMBEDDED_H
#define EMBEDDED_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

// ---- hart: what each processor keeps for itself -------------------------------------------------------------------

struct hart {
  uint64_t registers[32]; // of the code that a trap interrupted; x0's place is unused
  uint64_t pc;
  uint64_t guard;
  uint64_t fault_cause, fault_value, fault_pc; // of the last exception that a guard caught
  uint64_t id;
  uint64_t jobs, timer_interrupts, software_interrupts, external_interrupts;
  uint8_t trap_stack[HART_TRAP_STACK - 8 * 42];
  uint8_t stack[HART_SIZE - HART_TRAP_STACK];
};

_Static_assert(offsetof(struct hart, pc) == HART_PC, "layout.h");
_Static_assert(offsetof(struct hart, guard) == HART_GUARD, "layout.h");
_Static_assert(offsetof(struct hart, stack) == HART_TRAP_STACK, "layout.h");
_Static_assert(sizeof(struct hart) == HART_SIZE, "layout.h");

extern struct hart harts[HARTS_MAX];
extern unsigned hart_count;

// In M-mode the thread pointer always points to the running hart's own structure.
register struct hart *self asm("tp");

void harts_wake(unsigned count);

#define csr_read(csr) ({ uint64_t value_; asm volatile("csrr %0, " #csr : "=r"(value_)::"memory"); value_; })
#define csr_write(csr, value) asm volatile("csrw " #csr ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(csr, bits) asm volatile("csrs " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define csr_clear(csr, bits) asm volatile("csrc " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")

#define MSTATUS_MIE (1ul << 3)
#define MSTATUS_MPIE (1ul << 7)
#define MSTATUS_MPP_SUPERVISOR (1ul << 11)
#define MSTATUS_MPP_MACHINE (3ul << 11)
#define MSTATUS_FS_INITIAL (1ul << 13)
#define MIE_SOFTWARE (1ul << 3)
#define MIE_TIMER (1ul << 7)
#define MIE_EXTERNAL (1ul << 11)

// Sleeps until the condition holds. The test and the WFI run with interrupts off: an interrupt that comes between
// them stays pending, and WFI returns at once for a pending interrupt even while it may not be taken. Were they on,
// it could be handled just before the WFI, and the hart would sleep through the news. They are on for one
// instruction a turn, which is when the handler runs.
#define SLEEP_UNTIL(condition)                                                                                        \
  do {                                                                                                                \
    csr_clear(mstatus, MSTATUS_MIE);                                                                                  \
    while (!(condition)) {                                                                                            \
      asm volatile("wfi" ::: "memory");                                                                               \
      csr_set(mstatus, MSTATUS_MIE);                                                                                  \
      csr_clear(mstatus, MSTATUS_MIE);                                                                                \
    }                                                                                                                 \
    csr_set(mstatus, MSTATUS_MIE);                                                                                    \
  } while (0)

// ---- guard: a function call that an exception ends instead of the machine (entry.S, trap.c) -------------------------

// Calls function(argument). True when it returned; false when an exception ended it, told in self->fault_*.
bool guard_call(void (*function)(void *), void *argument);
void guard_leave(void);
const char *trap_name(uint64_t cause);

// ---- clint: timers and interrupts between harts; plic: interrupts from devices -------------------------------------

uint64_t clint_time(void); // in ticks of 100 ns
void clint_slice_start(void);
void clint_slice_stop(void);
void clint_send(unsigned hart);
void clint_acknowledge(void);

void plic_attach(unsigned source, unsigned hart, void (*handler)(void *), void *device);
void plic_handle(void);

// ---- console: the serial port -------------------------------------------------------------------------------------

void console_open(void);
// Knows %s, %u (64 bits, decimal), %8x and %16x (that many hexadecimal digits).
void console_print(const char *format, ...);
// Waits for a line, echoing it; it is cut at size - 1 characters.
void console_read_line(char *line, size_t size);

// ---- power: leaving for good ---------------------------------------------------------------------------------------

_Noreturn void power_off(void);
_Noreturn void power_off_failed(unsigned code);

enum { FAILED_CHECK = 1, FAILED_TRAP = 2, FAILED_DEVICE = 3 };

// ---- memory: bytes and strings -------------------------------------------------------------------------------------

void *memset(void *to, int byte, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
bool text_equal(const char *left, const char *right);
bool text_starts(const char *text, const char *start);
bool text_contains(const char *text, size_t size, const char *part);

// ---- crc32: the checksum of Ethernet, zip and PNG ------------------------------------------------------------------

void crc32_prepare(void);
// Start with 0; pass the result back in to go on with more bytes.
uint32_t crc32(uint32_t before, const void *bytes, size_t size);

// ---- random: a small generator for test data -----------------------------------------------------------------------

// xorshift64: never zero, period 2^64 - 1.
static inline uint64_t random_next(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

// ---- device tree: what the board says of itself --------------------------------------------------------------------

void devicetree_read(const void *blob);
extern unsigned devicetree_harts;
extern const char *devicetree_bootargs; // "" when there are none

// ---- virtio: devices with queues in memory -------------------------------------------------------------------------

enum { VIRTIO_DISK = 2, VIRTIO_ENTROPY = 4 };
enum { VIRTIO_QUEUE_SIZE = 4 };

struct virtio_descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;
};

struct virtio {
  struct virtio_descriptor descriptors[VIRTIO_QUEUE_SIZE] __attribute__((aligned(16)));
  struct {
    uint16_t flags, index, ring[VIRTIO_QUEUE_SIZE];
  } available __attribute__((aligned(2)));
  struct {
    uint16_t flags, index;
    struct {
      uint32_t id, length;
    } ring[VIRTIO_QUEUE_SIZE];
  } used __attribute__((aligned(4)));
  volatile uint32_t *registers; // NULL when no such device was found
  uint32_t features;            // the low 32 that both sides know
  uint16_t completed;           // requests that the interrupt handler has seen done
};

struct virtio_part {
  void *bytes;
  uint32_t size;
  bool device_writes;
};

// Finds the first device with this id and starts it; its interrupts go to `hart`. False when there is none.
bool virtio_open(struct virtio *device, uint32_t id, uint32_t features, unsigned hart);
// Hands the device one request and sleeps until it is done. Returns the number of bytes that the device wrote.
uint32_t virtio_request(struct virtio *device, const struct virtio_part *parts, unsigned count);

bool entropy_read(void *bytes, uint32_t size);

enum { SECTOR_SIZE = 512 };

bool disk_open(void);
uint64_t disk_sectors(void);
bool disk_read(uint64_t sector, void *bytes, uint32_t count);
bool disk_write(uint64_t sector, void *bytes, uint32_t count);
bool disk_flush(void);

// ---- journal: records on the disk that outlive the machine ---------------------------------------------------------

enum record_kind { RECORD_BOOT = 1, RECORD_NOTE = 2, RECORD_CRASH = 3 };

void journal_open(void);
bool journal_asks_autoquit(void);
void journal_append(enum record_kind kind, const char *text);
void journal_list(void);
void journal_describe(void);
void journal_append_boot(void);

// ---- work: jobs that any hart may take -----------------------------------------------------------------------------

struct job {
  uint64_t (*run)(uint64_t index);
  uint64_t index, result;
};

void work_push(struct job *job);
// Does one job, if there is one.
bool work_one(void);
// Helps until every job pushed so far is done.
void work_finish(void);
_Noreturn void work_forever(void);

enum { SCRATCH_WORDS = 4096 };
uint64_t *work_scratch(void); // 32 KiB of the running hart's own

uint64_t sort_run(uint64_t index);
uint64_t checksum_run(uint64_t index);
uint64_t orbit_run(uint64_t index);
uint64_t integral_run(uint64_t index);
uint64_t paging_run(uint64_t index);
bool rounding_check(void);

// ---- paging: an address space, a supervisor and a user program -----------------------------------------------------

enum { PAGE_SIZE = 4096, SPACE_DATA_PAGES = 8 };

struct space {
  uint64_t registers[32]; // of the user program, while the supervisor runs
  uint64_t pc;
  uint64_t reported, faults, trespasses, calls;
  uint8_t stack[SPACE_STACK - 8 * 37];
  uint64_t root[512], middle[512], code[512], data[512]; // page tables
  uint64_t pages[SPACE_DATA_PAGES][512];                 // memory that the user program gets on first touch
} __attribute__((aligned(PAGE_SIZE)));

_Static_assert(offsetof(struct space, pc) == SPACE_PC, "layout.h");
_Static_assert(offsetof(struct space, root) == SPACE_STACK, "layout.h");

void supervisor_enter(void);
void supervisor_trap(void);

// ---- the program ----------------------------------------------------------------------------------------------------

bool checks_run(void);
_Noreturn void shell_run(void);

#endif
