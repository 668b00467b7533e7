// Virtio devices behind memory-mapped registers, one queue each, one request at a time.
// Virtual I/O Device (VIRTIO) 1.2, 2.7 (Split Virtqueues) and 4.2 (Virtio Over MMIO).

#include "embedded.h"

#define SLOT(n) ((volatile uint32_t *)(0x10001000ul + 0x1000 * (n)))

enum { SLOTS = 8, FIRST_SOURCE = 1 };

// Registers, as indices of 32-bit words.
enum {
  MAGIC = 0x000 / 4,
  VERSION = 0x004 / 4,
  DEVICE_ID = 0x008 / 4,
  DEVICE_FEATURES = 0x010 / 4,
  DEVICE_FEATURES_SELECT = 0x014 / 4,
  DRIVER_FEATURES = 0x020 / 4,
  DRIVER_FEATURES_SELECT = 0x024 / 4,
  QUEUE_SELECT = 0x030 / 4,
  QUEUE_SIZE_MAX = 0x034 / 4,
  QUEUE_SIZE = 0x038 / 4,
  QUEUE_READY = 0x044 / 4,
  QUEUE_NOTIFY = 0x050 / 4,
  INTERRUPT_STATUS = 0x060 / 4,
  INTERRUPT_ACKNOWLEDGE = 0x064 / 4,
  STATUS = 0x070 / 4,
  QUEUE_DESCRIPTORS = 0x080 / 4,
  QUEUE_AVAILABLE = 0x090 / 4,
  QUEUE_USED = 0x0a0 / 4,
};

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_DEVICE_WRITES = 2 };
enum { FEATURE_VERSION_1 = 1 }; // bit 32, so bit 0 of the second word

// May run on another hart than the one that waits, so it passes the news on.
static void virtio_interrupt(void *argument) {
  struct virtio *device = argument;
  device->registers[INTERRUPT_ACKNOWLEDGE] = device->registers[INTERRUPT_STATUS];
  uint16_t done = __atomic_load_n(&device->used.index, __ATOMIC_ACQUIRE);
  __atomic_store_n(&device->completed, done, __ATOMIC_RELEASE);
  if (self->id != 0) clint_send(0);
}

static void write_address(volatile uint32_t *low, const void *address) {
  low[0] = (uint32_t)(uintptr_t)address;
  low[1] = (uint32_t)((uintptr_t)address >> 32);
}

bool virtio_open(struct virtio *device, uint32_t id, uint32_t features, unsigned hart) {
  unsigned slot = 0;
  volatile uint32_t *registers;
  for (;; slot++) {
    if (slot == SLOTS) return false;
    registers = SLOT(slot);
    if (registers[MAGIC] != 0x74726976 || registers[DEVICE_ID] != id) continue; // "virt"
    if (registers[VERSION] == 2) break;
    console_print("virtio: slot %u speaks the legacy interface, which this program does not\n", (uint64_t)slot);
  }

  // The order of these steps is the specification's (3.1.1): a device may refuse the features, and only then.
  registers[STATUS] = 0;
  registers[STATUS] = ACKNOWLEDGE;
  registers[STATUS] = ACKNOWLEDGE | DRIVER;
  registers[DEVICE_FEATURES_SELECT] = 0;
  device->features = registers[DEVICE_FEATURES] & features;
  registers[DRIVER_FEATURES_SELECT] = 0;
  registers[DRIVER_FEATURES] = device->features;
  registers[DRIVER_FEATURES_SELECT] = 1;
  registers[DRIVER_FEATURES] = FEATURE_VERSION_1;
  registers[STATUS] = ACKNOWLEDGE | DRIVER | FEATURES_OK;
  if (!(registers[STATUS] & FEATURES_OK)) return false;

  registers[QUEUE_SELECT] = 0;
  if (registers[QUEUE_SIZE_MAX] < VIRTIO_QUEUE_SIZE) return false;
  registers[QUEUE_SIZE] = VIRTIO_QUEUE_SIZE;
  write_address(&registers[QUEUE_DESCRIPTORS], device->descriptors);
  write_address(&registers[QUEUE_AVAILABLE], &device->available);
  write_address(&registers[QUEUE_USED], &device->used);
  registers[QUEUE_READY] = 1;
  device->registers = registers;
  plic_attach(FIRST_SOURCE + slot, hart, virtio_interrupt, device);
  registers[STATUS] = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
  return true;
}

uint32_t virtio_request(struct virtio *device, const struct virtio_part *parts, unsigned count) {
  for (unsigned n = 0; n < count; n++) {
    struct virtio_descriptor *descriptor = &device->descriptors[n];
    descriptor->address = (uint64_t)parts[n].bytes;
    descriptor->length = parts[n].size;
    descriptor->flags = parts[n].device_writes ? DESCRIPTOR_DEVICE_WRITES : 0;
    descriptor->next = n + 1;
    if (n + 1 < count) descriptor->flags |= DESCRIPTOR_NEXT;
  }
  uint16_t index = device->available.index;
  device->available.ring[index % VIRTIO_QUEUE_SIZE] = 0; // the chain begins at descriptor 0
  // The device may look as soon as the index moves, so all the rest must be in memory first.
  __atomic_store_n(&device->available.index, (uint16_t)(index + 1), __ATOMIC_RELEASE);
  asm volatile("fence rw, o" ::: "memory");
  device->registers[QUEUE_NOTIFY] = 0;
  SLEEP_UNTIL(__atomic_load_n(&device->completed, __ATOMIC_ACQUIRE) == (uint16_t)(index + 1));
  return device->used.ring[index % VIRTIO_QUEUE_SIZE].length;
}
