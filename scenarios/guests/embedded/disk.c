// A disk: sectors on a virtio block device. Virtual I/O Device (VIRTIO) 1.2, 5.2.

#include "embedded.h"

enum { READ = 0, WRITE = 1, FLUSH = 4 };
enum { FEATURE_FLUSH = 1 << 9 };
enum { CONFIGURATION = 0x100 / 4 };

static struct virtio device;

bool disk_open(void) {
  // Completions go to the last hart, which is likely to be busy with something else: so is real life.
  return virtio_open(&device, VIRTIO_DISK, FEATURE_FLUSH, hart_count - 1);
}

uint64_t disk_sectors(void) {
  return device.registers[CONFIGURATION] | (uint64_t)device.registers[CONFIGURATION + 1] << 32;
}

static bool request(uint32_t type, uint64_t sector, void *bytes, uint32_t count) {
  struct {
    uint32_t type, reserved;
    uint64_t sector;
  } header = {type, 0, sector};
  uint8_t status = 0xff;
  struct virtio_part parts[3] = {{&header, sizeof header, false}};
  unsigned used = 1;
  if (count > 0) parts[used++] = (struct virtio_part){bytes, count * SECTOR_SIZE, type == READ};
  parts[used++] = (struct virtio_part){&status, 1, true};
  virtio_request(&device, parts, used);
  return *(volatile uint8_t *)&status == 0;
}

bool disk_read(uint64_t sector, void *bytes, uint32_t count) { return request(READ, sector, bytes, count); }

bool disk_write(uint64_t sector, void *bytes, uint32_t count) { return request(WRITE, sector, bytes, count); }

// Returns when everything written before would survive a loss of power.
bool disk_flush(void) { return !(device.features & FEATURE_FLUSH) || request(FLUSH, 0, NULL, 0); }
