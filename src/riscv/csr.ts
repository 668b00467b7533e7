/** Control and status registers: numbers and fields. RISC-V privileged ISA, section 2.2 (listing) and chapters 3, 10, 12. */

export const csrNumber = {
  fflags: 0x001,
  frm: 0x002,
  fcsr: 0x003,
  cycle: 0xc00,
  time: 0xc01,
  instret: 0xc02,
  sstatus: 0x100,
  sie: 0x104,
  stvec: 0x105,
  scounteren: 0x106,
  senvcfg: 0x10a,
  sscratch: 0x140,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  sip: 0x144,
  stimecmp: 0x14d,
  satp: 0x180,
  mstatus: 0x300,
  misa: 0x301,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mtvec: 0x305,
  mcounteren: 0x306,
  menvcfg: 0x30a,
  mcountinhibit: 0x320,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
  pmpcfg0: 0x3a0,
  pmpcfg2: 0x3a2,
  pmpaddr0: 0x3b0,
  mcycle: 0xb00,
  minstret: 0xb02,
  mvendorid: 0xf11,
  marchid: 0xf12,
  mimpid: 0xf13,
  mhartid: 0xf14,
  mconfigptr: 0xf15,
  tselect: 0x7a0,
  tdata1: 0x7a1,
  tdata2: 0x7a2,
  tdata3: 0x7a3,
} as const

export type CsrName = keyof typeof csrNumber

/** How many physical memory protection entries a hart has. */
export const PMP_ENTRIES = 16

/** mhpmcounter3..31 and mhpmevent3..31 exist and read as zero. */
export const HPM_COUNTERS = { first: 3, last: 31, mcounter: 0xb00, counter: 0xc00, event: 0x320 } as const

export const privilege = { user: 0, supervisor: 1, machine: 3 } as const

/** Fields of mstatus as bit positions. Section 3.1.6. */
export const mstatusBit = {
  SIE: 1,
  MIE: 3,
  SPIE: 5,
  MPIE: 7,
  SPP: 8,
  MPP: 11,
  FS: 13,
  MPRV: 17,
  SUM: 18,
  MXR: 19,
  TVM: 20,
  TW: 21,
  TSR: 22,
} as const

const bit = (position: number): bigint => 1n << BigInt(position)

/** Masks over mstatus. */
export const mstatus = {
  SIE: bit(1),
  MIE: bit(3),
  SPIE: bit(5),
  MPIE: bit(7),
  SPP: bit(8),
  MPP: 3n << 11n,
  FS: 3n << 13n,
  MPRV: bit(17),
  SUM: bit(18),
  MXR: bit(19),
  TVM: bit(20),
  TW: bit(21),
  TSR: bit(22),
  /** Both U- and S-mode are 64 bits wide, for good. */
  XLEN: (2n << 32n) | (2n << 34n),
  UXL: 3n << 32n,
  SD: bit(63),
} as const

/** RV64 with A C D F I M S U. Section 3.1.1. */
export const MISA = (2n << 62n) | 0x14112dn

/** Interrupt bits of mip and mie. Section 3.1.9. */
export const mip = {
  SSIP: bit(1),
  MSIP: bit(3),
  STIP: bit(5),
  MTIP: bit(7),
  SEIP: bit(9),
  MEIP: bit(11),
} as const

export const menvcfg = { FIOM: 1n, STCE: bit(63) } as const

/** satp modes. Section 12.1.11. */
export const satpMode = { bare: 0, sv39: 8, sv48: 9 } as const

/** Page-table entry bits. Section 12.3.1. */
export const pte = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const
