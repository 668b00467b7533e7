/**
 * A hart's state: every field with its place, so that saving, restoring, hashing, inspecting and the generated code all follow one
 * table. Registers are 64 bits unless said otherwise.
 */
import { PMP_ENTRIES } from "../riscv/csr.ts"
import { type Expr, type FunctionBuilder, type I32, type I64, i32, i64 } from "../wasm/index.ts"
import { ACTIVE, HART_BYTES } from "./layout.ts"

/** `guest`: what the guest can see, saved and hashed. `engine`: how far it has come, saved. `derived`: made anew after a restore. */
export type FieldRole = "guest" | "engine" | "derived"

export interface StateField {
  readonly offset: number
  /** Bytes of one element. */
  readonly size: 4 | 8
  readonly count: number
  readonly role: FieldRole
}

let end = 0
const place = (size: 4 | 8, count: number, role: FieldRole): StateField => {
  const offset = Math.ceil(end / size) * size
  end = offset + size * count
  return { offset, size, count, role }
}
const guest64 = (count = 1) => place(8, count, "guest")
const guest32 = () => place(4, 1, "guest")

/** Register 0 is never written; what is meant for it goes to the slot after x31. */
export const X_DISCARD = 32

export const stateFields = {
  x: guest64(32),
  discarded: place(8, 1, "derived"),
  f: guest64(32),
  pc: guest64(),
  mstatus: guest64(),
  mie: guest64(),
  mip: guest64(),
  medeleg: guest64(),
  mideleg: guest64(),
  mtvec: guest64(),
  mepc: guest64(),
  mcause: guest64(),
  mtval: guest64(),
  mscratch: guest64(),
  mcounteren: guest64(),
  menvcfg: guest64(),
  stvec: guest64(),
  sepc: guest64(),
  scause: guest64(),
  stval: guest64(),
  sscratch: guest64(),
  scounteren: guest64(),
  senvcfg: guest64(),
  satp: guest64(),
  stimecmp: guest64(),
  pmpcfg0: guest64(),
  pmpcfg2: guest64(),
  pmpaddr: guest64(PMP_ENTRIES),
  mhartid: guest64(),
  /** Added to the engine's counts to give what minstret and mcycle show. */
  minstretOffset: guest64(),
  mcycleOffset: guest64(),
  /** Physical address of the reservation, -1 for none, and what was read there. */
  reservation: guest64(),
  reservedValue: guest64(),
  fflags: guest32(),
  frm: guest32(),
  /** 0 U, 1 S, 3 M. */
  privilege: guest32(),
  /** 1: an environment call from S-mode goes to the built-in SBI. */
  builtinSbi: guest32(),

  /** Instructions executed when `count` reaches zero. */
  target: place(8, 1, "engine"),
  /** Virtual nanoseconds that passed with no instruction. */
  skew: place(8, 1, "engine"),
  /** Ticks the guest moved mtime by. */
  timeOffset: place(8, 1, "engine"),

  /** Instructions left, while code that runs outside the interpreter's loop may ask. */
  count: place(4, 1, "derived"),
  /** Instructions put aside so that the loop stops after this instruction and looks around. */
  held: place(4, 1, "derived"),
  /** Set by what failed inside a call: the instruction traps with these. */
  trapCause: place(8, 1, "derived"),
  trapValue: place(8, 1, "derived"),
  /** 1: the last call asks for a trap. */
  trapped: place(4, 1, "derived"),
  /** Set by a device that answers "nobody here". */
  busFault: place(4, 1, "derived"),
  /** Why the run must end after this instruction, 0 when it need not. */
  exitReason: place(4, 1, "derived"),
  /** 1: no PMP entry restricts anything. */
  pmpOpen: place(4, 1, "derived"),
  /** 1: no PMP entry restricts machine mode. */
  machineOpen: place(4, 1, "derived"),
  /** The number of the address space satp names, 0 when it has yet to be found. */
  space: place(4, 1, "derived"),
  /** Low bits of TLB tags for data and fetches: which address space, seen with which rights. */
  dataContext: place(8, 1, "derived"),
  fetchContext: place(8, 1, "derived"),
  /** 1: the last translation may not be kept, as protection divides its page. */
  uncacheable: place(4, 1, "derived"),
  /** 1: a superpage was translated since the last full flush, so a flush of one address is a flush of all. */
  superpages: place(4, 1, "derived"),
  /** Of the atomic instruction that is executed: 1 where what it writes is watched, and its address. */
  watchedWrite: place(4, 1, "derived"),
  watchedAddress: place(8, 1, "derived"),
} as const satisfies Record<string, StateField>

if (end > HART_BYTES) throw new Error("the hart's state outgrew its place")

export type FieldName = keyof typeof stateFields

/** The address of a field of the running hart. */
export const active = (name: FieldName, index = 0): number => {
  const field = stateFields[name]
  return ACTIVE + field.offset + index * field.size
}

/** Reads a 64-bit field of the running hart. */
export const get64 = (name: FieldName, index = 0): Expr<"i64"> => i64.load(0, active(name, index))
/** Reads a 32-bit field of the running hart. */
export const get32 = (name: FieldName): Expr<"i32"> => i32.load(0, active(name))
/** Writes a 64-bit field of the running hart. */
export const set64 = (f: FunctionBuilder, name: FieldName, value: I64, index = 0): void =>
  f.storeI64(0, value, active(name, index))
/** Writes a 32-bit field of the running hart. */
export const set32 = (f: FunctionBuilder, name: FieldName, value: I32): void => f.storeI32(0, value, active(name))

/** Stops the interpreter's loop after the instruction that is running, so that interrupts and the address space are looked at. */
export const holdBudget = (f: FunctionBuilder): void => {
  set32(f, "held", i32.add(get32("held"), get32("count")))
  set32(f, "count", 0)
}

/** Why a run ended. */
export const exitReason = {
  /** The budget is used up. */
  budget: 0,
  /** WFI with no interrupt pending. */
  wait: 1,
  /** An environment call for the built-in SBI; pc is at the `ecall`. */
  sbi: 2,
  /** A timer comparison changed: deadlines must be looked at again. */
  timer: 3,
  /** A device asked for the world's attention (power-off, reset). */
  device: 4,
  /** Something was met that somebody outside wants to be told of. */
  observed: 5,
} as const

export type ExitReason = (typeof exitReason)[keyof typeof exitReason]
