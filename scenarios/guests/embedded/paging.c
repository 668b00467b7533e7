// A job with all three privilege modes: a supervisor that gives a user program an address space (Sv39), memory on its
// first touch, two calls, and nothing that is not its own.
// RISC-V Privileged Architecture, 10.4 (Sv39) and 10.1 (Supervisor CSRs).

#include "embedded.h"

enum { VALID = 1, READ = 2, WRITE = 4, EXECUTE = 8, USER = 16, ACCESSED = 64, DIRTY = 128 };
enum { USER_CALL = 8, SUPERVISOR_CALL = 9, INSTRUCTION_PAGE_FAULT = 12, LOAD_PAGE_FAULT = 13, STORE_PAGE_FAULT = 15 };
enum { PASSES = 12 };

#define SATP_SV39 (8ul << 60)
#define USER_CODE 0x40000000ul
#define USER_DATA 0x40200000ul
#define KERNEL 0x80000000ul

extern uint8_t user_program[];
static struct space spaces[HARTS_MAX];

// A page table has 512 entries, so each level takes 9 bits of the address, above the 12 bits within a page.
static unsigned slot(uint64_t address, int level) { return address >> (12 + 9 * level) & 511; }

static uint64_t entry(const void *page, uint64_t flags) { return (uint64_t)page >> 12 << 10 | flags | VALID; }

// Accessed and dirty are set beforehand: hardware may set them itself or fault to have it done, and so cannot tell.
static uint64_t leaf(const void *page, uint64_t flags) { return entry(page, flags | ACCESSED | DIRTY); }

static void space_build(struct space *space) {
  memset(space, 0, offsetof(struct space, pages));
  // The supervisor sees all of RAM where it is, through a single entry of the root table: a page of 1 GiB.
  space->root[slot(KERNEL, 2)] = leaf((void *)KERNEL, READ | WRITE | EXECUTE);
  space->root[slot(USER_CODE, 2)] = entry(space->middle, 0);
  space->middle[slot(USER_CODE, 1)] = entry(space->code, 0);
  space->middle[slot(USER_DATA, 1)] = entry(space->data, 0);
  space->code[slot(USER_CODE, 0)] = leaf(user_program, READ | EXECUTE | USER);
}

static bool space_give_page(struct space *space, uint64_t address) {
  uint64_t page = (address - USER_DATA) / PAGE_SIZE;
  if (address < USER_DATA || page >= SPACE_DATA_PAGES) return false;
  memset(space->pages[page], 0, PAGE_SIZE);
  space->data[slot(address, 0)] = leaf(space->pages[page], READ | WRITE | USER);
  // The hart may remember that there was no such page.
  asm volatile("sfence.vma %0, zero" ::"r"(address) : "memory");
  space->faults++;
  return true;
}

// Runs in S-mode, called from entry.S. Here tp is the space, so `self` must not be used.
void supervisor_handle(struct space *space) {
  uint64_t cause = csr_read(scause);
  if (cause == STORE_PAGE_FAULT || cause == LOAD_PAGE_FAULT) {
    if (space_give_page(space, csr_read(stval))) return;
    space->trespasses++; // not its memory: it reads a zero and goes on behind the instruction
    space->registers[10] = 0;
    space->pc += 4;
    return;
  }
  if (cause == USER_CALL) {
    space->calls++;
    space->pc += 4;
    if (space->registers[17] == CALL_REPORT) {
      space->reported = space->registers[10];
      return;
    }
  }
  asm volatile("ecall" ::: "memory"); // up to M-mode, where the guard ends our life
}

// Runs in M-mode under a guard, and leaves downward.
static void space_enter(void *argument) {
  struct space *space = argument;
  csr_write(medeleg, 1 << USER_CALL | 1 << INSTRUCTION_PAGE_FAULT | 1 << LOAD_PAGE_FAULT | 1 << STORE_PAGE_FAULT);
  csr_write(stvec, supervisor_trap);
  csr_write(sscratch, space);
  csr_write(satp, SATP_SV39 | (uint64_t)space->root >> 12);
  asm volatile("sfence.vma" ::: "memory"); // forget the address space that ran here before
  // Interrupts off from here to mret: a trap on the way would overwrite mepc and mstatus.
  csr_clear(mstatus, MSTATUS_MIE);
  csr_clear(mstatus, MSTATUS_MPP_MACHINE);
  csr_set(mstatus, MSTATUS_MPP_SUPERVISOR | MSTATUS_MPIE);
  csr_write(mepc, supervisor_enter);
  asm volatile("mv tp, %0\n mret" ::"r"(space) : "memory");
  __builtin_unreachable();
}

uint64_t paging_run(uint64_t index) {
  struct space *space = &spaces[self->id];
  space_build(space);
  space->pc = USER_CODE;
  space->registers[10] = USER_DATA;
  space->registers[11] = SPACE_DATA_PAGES * PAGE_SIZE;
  space->registers[12] = PASSES;
  space->registers[13] = index + 1;
  space->registers[14] = KERNEL;
  bool returned = guard_call(space_enter, space);
  bool right = !returned && self->fault_cause == SUPERVISOR_CALL && space->faults == SPACE_DATA_PAGES &&
               space->trespasses == 1 && space->calls == 2;
  return right ? space->reported : 0;
}
