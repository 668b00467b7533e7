// The platform-level interrupt controller: brings each device's interrupt to the hart that asked for it.
// RISC-V Platform-Level Interrupt Controller Specification, 1.0.

#include "embedded.h"

#define PLIC 0xc000000ul
#define PRIORITY ((volatile uint32_t *)PLIC)
#define ENABLE(context) ((volatile uint32_t *)(PLIC + 0x2000 + 0x80 * (context)))
#define THRESHOLD(context) ((volatile uint32_t *)(PLIC + 0x200000 + 0x1000 * (context)))
#define CLAIM(context) ((volatile uint32_t *)(PLIC + 0x200004 + 0x1000 * (context)))

// Each hart has two contexts on this board: machine mode first, then supervisor mode.
#define MACHINE_CONTEXT(hart) (2 * (hart))

enum { SOURCES = 32 };

static struct {
  void (*handle)(void *);
  void *device;
} handlers[SOURCES];

void plic_attach(unsigned source, unsigned hart, void (*handler)(void *), void *device) {
  handlers[source].handle = handler;
  handlers[source].device = device;
  asm volatile("fence rw, o" ::: "memory");
  PRIORITY[source] = 1;
  *THRESHOLD(MACHINE_CONTEXT(hart)) = 0;
  *ENABLE(MACHINE_CONTEXT(hart)) |= 1u << source;
}

void plic_handle(void) {
  volatile uint32_t *claim = CLAIM(MACHINE_CONTEXT(self->id));
  uint32_t source;
  while ((source = *claim) != 0) {
    if (source < SOURCES && handlers[source].handle) handlers[source].handle(handlers[source].device);
    *claim = source; // completed: the PLIC may report this source again
  }
}
