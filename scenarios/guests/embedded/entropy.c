// Random bytes from a virtio entropy device. Virtual I/O Device (VIRTIO) 1.2, 5.4.

#include "embedded.h"

static struct virtio device;

// False when there is no such device. It may give fewer bytes than asked for, so ask again for the rest.
bool entropy_read(void *bytes, uint32_t size) {
  if (!device.registers && !virtio_open(&device, VIRTIO_ENTROPY, 0, 0)) return false;
  while (size > 0) {
    struct virtio_part part = {bytes, size, true};
    uint32_t got = virtio_request(&device, &part, 1);
    bytes = (uint8_t *)bytes + got;
    size -= got;
  }
  return true;
}
