/**
 * Where everything lies in a machine's one WebAssembly memory. Addresses are byte offsets, fixed for every machine, so that one
 * compiled module serves them all; only the length of guest RAM, which comes last, differs.
 */

/** Harts one machine can have. */
export const HARTS_MAX = 8

/** 4 KiB, the size of a guest page. */
export const PAGE_BYTES = 4096
export const PAGE_SHIFT = 12
/** Of writes it is known by lines of so many bytes where they went. */
export const LINE_BYTES = 64
export const LINE_SHIFT = 6
export const LINES_PER_PAGE = PAGE_BYTES / LINE_BYTES

/** The machine's number of harts, 32 bits. */
export const HART_COUNT = 0xfe0
/** Bytes of guest RAM, as a 64-bit integer. */
export const RAM_BYTES = 0xff0
/** The running hart's state; the others are parked in `PARKED`. */
export const ACTIVE = 0x1000
/** Bytes reserved for one hart's state. */
export const HART_BYTES = 0x800
/** A value on its way between a device or two pages and an instruction. */
export const SCRATCH = 0x2000
/** For each of 4096 CSR numbers one byte: its index in the table of known ones, 0 when there is none. */
export const CSR_INDEX = 0x3000
/** Parked states, hart by hart. */
export const PARKED = 0x4000
/** The address-space tables, hart by hart. */
export const ADDRESS_SPACES = 0x8000

/**
 * The record of an instruction that is decoded each time it is met, as it crosses a page boundary or lies where protection divides its
 * page, and the end-of-page records after it. Further from zero than a page of records is long: it can stand for any place in a page.
 */
export const CROSSING_RECORD = 0x9000

/** Interrupts taken since TypeScript last asked: their number, then for each its cause and the count of executed instructions. */
export const INTERRUPT_LOG = 0xa000
export const INTERRUPT_LOG_ENTRIES = 0xa010
export const INTERRUPT_LOG_ENTRY_BYTES = 16
export const INTERRUPT_LOG_MAX = 512

/** Where `hashPage` leaves its 16 bytes. */
export const PAGE_HASH = 0xf000

/** How often the interpreter has to come to a record by such a jump until it is put on the list of hot ones; 32 bits. */
export const HEAT_MIN = 0xd000
/** Hot records since the translator last looked: their number, then they. */
export const HOT_RECORDS = 0xd010
export const HOT_RECORDS_MAX = 512

/** What somebody outside wants to be told of; see observation.ts. Which kinds of things, as bits of `observes`. */
export const OBSERVES = 0xe000
/** The hart and its count of executed instructions at which nothing is reported, as it was before. */
export const PASSED_HART = 0xe004
export const PASSED_AT = 0xe008
/** Virtual addresses of instructions: their number, then they. Enough for all lines of a long function. */
export const BREAKPOINTS = 0x10000
export const BREAKPOINTS_MAX = 1024
/** Watched memory: the number of entries, then for each its first and last address (64), kinds of access (32), address space (32). */
export const WATCHES = 0xe220
export const WATCHES_MAX = 32
export const WATCH_BYTES = 24
/** Watched fields of the hart's state: their number, their offsets, then hart by hart the values that are known. */
export const STATE_WATCHES = 0xe530
export const STATE_WATCHES_MAX = 8
export const STATE_WATCHES_KNOWN = STATE_WATCHES + 8 + STATE_WATCHES_MAX * 4
/** What was met: its kind (32), bytes accessed (32), virtual address, physical address, cause of a trap. */
export const HIT = 0xe800
/** 1 while a region looks for memory: what would have to be reported is left to the interpreter. */
export const IN_REGION = 0xe840

/** Translation lookaside buffers: per hart one each for reads, writes and fetches. */
export const TLB = 0x100000
export const TLB_ENTRIES = 4096
export const TLB_ENTRY_BYTES = 16
export const TLB_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES
export const TLB_READ = 0
export const TLB_WRITE = TLB_BYTES
export const TLB_FETCH = 2 * TLB_BYTES
/**
 * Behind a hart's buffers: where regions went on to. An entry is a pc (64 bits), the low bits of the fetch tag it was found under (32),
 * and what REGION_INFO says of it (32).
 */
export const JUMP_CACHE = 3 * TLB_BYTES
export const JUMP_CACHE_ENTRIES = 1024
export const JUMP_CACHE_BYTES = JUMP_CACHE_ENTRIES * 16
/** Bytes of one hart's buffers. */
export const TLB_HART_BYTES = 4 * TLB_BYTES

/** RAM pages a machine can have: what fits a 4 GiB WebAssembly memory beside the tables. */
export const RAM_PAGES_MAX = 0xf0000
/** Pages of the boot ROM; they are numbered after the RAM pages. */
export const ROM_PAGES = 15

/** For each page: the address of its predecoded records, 0 when it has none. */
export const PAGE_CODE = TLB + HARTS_MAX * TLB_HART_BYTES
/** For each page one byte: 1 when it was written since the flags were last cleared, or `PAGE_ABSENT`. */
export const PAGE_DIRTY = PAGE_CODE + 4 * (RAM_PAGES_MAX + 16)
/** The page's content is still to be brought in; it has no translations and no predecoded records. */
export const PAGE_ABSENT = 2

/** Predecoded pages. A record is 8 bytes and stands for one halfword of guest memory; one more ends the page. */
export const RECORD_BYTES = 8
export const RECORD_SHIFT = 2
export const CODE_PAGE_BYTES = (PAGE_BYTES / 2) * RECORD_BYTES + 64
export const CODE_PAGES = 4096
/** For each predecoded page: its guest page's number, its address in this memory, how often it was written to. */
export const CODE_PAGE_INFO = (PAGE_DIRTY + RAM_PAGES_MAX + 4096) & ~0xfff
export const CODE_PAGE_INFO_BYTES = 16
/** The place the next predecoded page takes: in the unused last word of the first entry. */
export const NEXT_CODE_PAGE = CODE_PAGE_INFO + 12
export const CODE = CODE_PAGE_INFO + CODE_PAGES * CODE_PAGE_INFO_BYTES

/**
 * For each record 32 bits: the number of the region that can be entered there (16), 0 when none; the operation whose place it took (9);
 * which of the region's entries it is (7).
 */
export const REGION_INFO = CODE + CODE_PAGES * CODE_PAGE_BYTES
export const REGION_INFO_BYTES = (CODE_PAGES * CODE_PAGE_BYTES) / 2
/** For each predecoded page: how many regions begin in it. */
export const CODE_PAGE_REGIONS = REGION_INFO + REGION_INFO_BYTES
/**
 * For each record 16 bits: how often the interpreter came there by a jump out of a page, a computed one or from a region (15 bits,
 * going round); above it `COMPUTED_TARGET`, set when a computed jump or call from the same page, no return, was seen to go there.
 */
export const JUMP_TARGETS = CODE_PAGE_REGIONS + CODE_PAGES * 4
export const JUMP_TARGETS_PAGE_BYTES = (CODE_PAGE_BYTES / RECORD_BYTES) * 2
export const COMPUTED_TARGET = 0x8000
/** Regions that can be kept at once; number 0 is none. */
export const REGIONS_MAX = 0xffff
/** By so many regions their table grows. */
export const REGIONS_STEP = 256
/** For each region: where its page's part of REGION_INFO begins. */
export const REGION_PAGES = JUMP_TARGETS + CODE_PAGES * JUMP_TARGETS_PAGE_BYTES

/** For each predecoded page one byte: 1 where it holds a breakpoint, so that it has no regions. */
export const CODE_PAGE_CLOSED = REGION_PAGES + (REGIONS_MAX + 1) * 4

const align64K = (address: number) => (address + 0xffff) & ~0xffff

/** For each line of RAM one byte: 1 when it was written since the flag was last cleared. */
const LINES_WRITTEN = align64K(CODE_PAGE_CLOSED + CODE_PAGES)
/** The boot ROM. */
export const ROM = align64K(LINES_WRITTEN + RAM_PAGES_MAX * LINES_PER_PAGE)
/** Guest RAM. */
export const RAM = ROM + 0x10000
/** A line's flag is at this plus the line's address in this memory, shifted right by LINE_SHIFT. */
export const LINE_WRITTEN = LINES_WRITTEN - (RAM >>> LINE_SHIFT)

/** Guest physical addresses. */
export const ROM_BASE = 0x1000
export const ROM_BYTES = ROM_PAGES * PAGE_BYTES
export const RAM_BASE = 0x80000000

/** The most guest RAM, in bytes. */
export const RAM_BYTES_MAX = RAM_PAGES_MAX * PAGE_BYTES

/** Pages of 64 KiB the WebAssembly memory needs for this much guest RAM. */
export const wasmPages = (ramBytes: number): number => Math.ceil((RAM + ramBytes) / 0x10000)
