/** Where things are in a differential program's memory, and the words the harness keeps. */

export const CODE_BASE = 0x8000_0000
export const HARNESS = 0x8000_8000
/** Loads and stores go here; folded into the hash at every checkpoint. */
export const WINDOW = 0x8002_0000
export const WINDOW_SIZE = 0x4000
/** A page full of `ret`, for calls through test mappings. */
export const RETURN_PAGE = 0x8002_4000
export const ROOT_48 = 0x8003_0000
export const ROOT_39 = 0x8003_1000
export const TABLE_1 = 0x8003_2000
export const TABLE_0 = 0x8003_3000
/** The physical 2 MiB page that valid test superpages map. */
export const SUPERPAGE = 0x8020_0000
export const BLOCKS = 0x8040_0000
/** RAM the guest is given; an access past its end is an access fault. */
export const RAM_SIZE = 0x800_0000

/** Gigapage numbers of the page tables: user alias of all RAM, and the two test regions. */
export const USER_GIGAPAGE = 5
export const TEST_GIGAPAGE = 7

/** Byte offsets from HARNESS: x registers at 8 × n, f registers from 256, then these. */
export const slot = {
  x: (n: number): number => 8 * n,
  f: (n: number): number => 256 + 8 * n,
  fcsr: 512,
  /** Virtual address of the c.ebreak that ends the block. */
  end: 520,
  /** A second address that ends block `stopBlock` early, for bisecting. */
  stop: 528,
  stopBlock: 536,
  continuation: 544,
  hash: 552,
  blockCount: 560,
  checkpointMask: 568,
  dumpFirst: 576,
  dumpLast: 584,
  passesLeft: 592,
  trapsInBlock: 600,
  vector: 608,
  enter: 616,
  mstatus: 624,
  mcause: 632,
  mepc: 640,
  mtval: 648,
  traps: 656,
  firstBlock: 664,
  scause: 672,
  sepc: 680,
  stval: 688,
  sstatus: 696,
  mixer: 704,
  mstatusMask: 712,
  sstatusMask: 720,
  ramMask: 728,
  ramBase: 736,
  supervisorVector: 744,
  window: 752,
  uart: 760,
  powerOff: 768,
  tables: 776,
  mtimecmp: 784,
  openPmp: 792,
  msip: 800,
  /** When this many passes are left, the halfword at patchAddress becomes a c.ebreak. */
  patchPass: 808,
  patchAddress: 816,
  csr: (index: number): number => 824 + 8 * index,
} as const

/** CSRs folded after every block, besides those of the last trap. Time and counters are never looked at. */
export const foldedCsrs = [
  { name: "sscratch", number: 0x140 },
  { name: "sepc", number: 0x141 },
  { name: "scause", number: 0x142 },
  { name: "stval", number: 0x143 },
  { name: "stvec", number: 0x105 },
  { name: "satp", number: 0x180 },
  { name: "mie", number: 0x304 },
  { name: "mip", number: 0x344 },
  { name: "medeleg", number: 0x302 },
  { name: "mideleg", number: 0x303 },
  { name: "mcounteren", number: 0x306 },
  { name: "scounteren", number: 0x106 },
  { name: "mtvec", number: 0x305 },
  { name: "pmpcfg0", number: 0x3a0 },
  { name: "pmpcfg2", number: 0x3a2 },
  { name: "pmpaddr0", number: 0x3b0 },
  { name: "pmpaddr1", number: 0x3b1 },
  { name: "pmpaddr2", number: 0x3b2 },
  { name: "pmpaddr3", number: 0x3b3 },
] as const

/** Names of the words of a register dump, in the order the harness prints them. */
export const dumpNames: readonly string[] = [
  ...Array.from({ length: 31 }, (_, n) => `x${n + 1}`),
  ...Array.from({ length: 32 }, (_, n) => `f${n}`),
  "fcsr",
  "mstatus",
  "mcause",
  "mepc",
  "mtval",
  "traps",
  "vector",
  "trap scause",
  "trap sepc",
  "trap stval",
  "trap sstatus",
  ...foldedCsrs.map(csr => csr.name),
]
