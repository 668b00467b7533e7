// An append-only journal on the disk. Sector 0 says that this is a journal; then come the records, each in one or two
// whole sectors, so that writing one never touches the bytes of another. When the machine is cut off in the middle of
// a write, the last record is incomplete. Its checksum tells, and the next record goes where it lay.

#include "embedded.h"

enum { VERSION = 1, RECORD_MAGIC = 0x31636572 }; // "rec1"

struct header {
  char magic[8];
  uint32_t version, reserved;
  char options[16]; // "auto": leave after the checks, as with the boot argument of that name
  uint8_t unused[SECTOR_SIZE - 32];
};

struct record {
  uint32_t magic;
  uint32_t crc; // of all that follows, as far as the text goes
  uint64_t sequence;
  uint32_t kind, length;
  char text[2 * SECTOR_SIZE - 24];
};

_Static_assert(sizeof(struct header) == SECTOR_SIZE, "the header is a sector");
_Static_assert(sizeof(struct record) == 2 * SECTOR_SIZE, "a record is at most two sectors");

static const char magic[8] = "cvjournl";
static struct header header;
static struct record record;
static bool ready;
static uint64_t sectors, end;            // size of the disk; where the next record goes
static uint64_t count, boots, notes, crashes; // records so far, and of which kind
static uint32_t digest;                  // of all their checksums

static uint32_t record_crc(void) {
  return crc32(0, &record.sequence, offsetof(struct record, text) - offsetof(struct record, sequence) + record.length);
}

static uint32_t record_sectors(void) { return offsetof(struct record, text) + record.length > SECTOR_SIZE ? 2 : 1; }

static void must(bool done) {
  if (done) return;
  console_print("journal: the disk failed\n");
  power_off_failed(FAILED_DEVICE);
}

enum found { FOUND_RECORD, FOUND_TORN, FOUND_END };

// Reads the record at `sector` into `record`. Old bytes from a torn record may lie beyond the end of the journal: they
// do not carry the sequence number that is due.
static enum found record_read(uint64_t sector, uint64_t sequence) {
  if (sector >= sectors) return FOUND_END;
  must(disk_read(sector, &record, 1));
  if (record.magic != RECORD_MAGIC || record.sequence != sequence) return FOUND_END;
  if (record.length > sizeof record.text) return FOUND_TORN;
  if (record_sectors() == 2) {
    if (sector + 1 >= sectors) return FOUND_TORN;
    must(disk_read(sector + 1, (uint8_t *)&record + SECTOR_SIZE, 1));
  }
  return record.crc == record_crc() ? FOUND_RECORD : FOUND_TORN;
}

// Takes the record into account, whether it was just read or just written.
static void record_apply(void) {
  count++;
  boots += record.kind == RECORD_BOOT;
  notes += record.kind == RECORD_NOTE;
  crashes += record.kind == RECORD_CRASH;
  digest = crc32(digest, &record.crc, sizeof record.crc);
  end += record_sectors();
}

void journal_open(void) {
  if (!disk_open()) {
    console_print("disk: none, so no journal\n");
    return;
  }
  sectors = disk_sectors();
  console_print("disk: %u sectors\n", sectors);
  if (sectors < 3) {
    console_print("journal: the disk is too small for one\n");
    return;
  }
  must(disk_read(0, &header, 1));
  static const char blank[sizeof magic];
  if (memcmp(header.magic, blank, sizeof magic) == 0) {
    memcpy(header.magic, magic, sizeof magic);
    header.version = VERSION;
    must(disk_write(0, &header, 1));
    must(disk_flush());
    console_print("journal: the disk is blank, made a new one\n");
  } else if (memcmp(header.magic, magic, sizeof magic) != 0 || header.version != VERSION) {
    console_print("journal: the disk holds something else, left alone\n");
    return;
  }
  end = 1;
  enum found found;
  while ((found = record_read(end, count + 1)) == FOUND_RECORD) record_apply();
  console_print("journal: %u valid records, %u torn\n", count, (uint64_t)(found == FOUND_TORN));
  if (found == FOUND_TORN) console_print("journal: dropped record %u, it was cut off\n", count + 1);
  ready = true;
  journal_describe();
}

bool journal_asks_autoquit(void) { return text_contains(header.options, sizeof header.options, "auto"); }

void journal_describe(void) {
  if (!ready) {
    console_print("journal: none\n");
    return;
  }
  console_print("journal: %u boots, %u notes, %u crashes, digest %8x\n", boots, notes, crashes, (uint64_t)digest);
}

void journal_append(enum record_kind kind, const char *text) {
  if (!ready) {
    console_print("journal: none, nothing written\n");
    return;
  }
  size_t length = strlen(text);
  if (length > sizeof record.text) length = sizeof record.text;
  memset(&record, 0, sizeof record);
  record.magic = RECORD_MAGIC;
  record.sequence = count + 1;
  record.kind = kind;
  record.length = length;
  memcpy(record.text, text, length);
  record.crc = record_crc();
  if (end + record_sectors() > sectors) {
    console_print("journal: full, nothing written\n");
    return;
  }
  must(disk_write(end, &record, record_sectors()));
  must(disk_flush()); // only now may we say that it is written
  record_apply();
  console_print("journal: wrote record %u\n", count);
}

void journal_append_boot(void) {
  char text[] = "boot on 0 harts";
  text[8] += hart_count;
  if (ready) journal_append(RECORD_BOOT, text);
}

void journal_list(void) {
  if (!ready) {
    console_print("journal: none\n");
    return;
  }
  static const char *const kinds[] = {"?", "boot", "note", "crash"};
  uint64_t sector = 1;
  for (uint64_t sequence = 1; sequence <= count; sequence++) {
    must(record_read(sector, sequence) == FOUND_RECORD);
    char text[sizeof record.text + 1];
    memcpy(text, record.text, record.length);
    text[record.length] = 0;
    console_print("%u %s: %s\n", sequence, kinds[record.kind <= RECORD_CRASH ? record.kind : 0], text);
    sector += record_sectors();
  }
}
