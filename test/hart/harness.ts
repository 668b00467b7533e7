/** A bench for one or more harts: some RAM, a program through the assembler, a number of instructions, then a look at the registers. */

import { HartCore } from "../../src/hart/hart-core.ts"
import { type ExitReason, exitReason, type FieldName } from "../../src/hart/state.ts"
import { assemble } from "../../src/riscv/assembler.ts"
import { privilege } from "../../src/riscv/csr.ts"
import { floatRegisters, integerRegisters } from "../../src/riscv/register.ts"
import { tierFromEnvironment } from "../../tools/tier.ts"

export const RAM_BASE = 0x80000000
/** UXL and SXL: 64 bits, as after a reset. */
export const MSTATUS_RESET = 0xa00000000n

export interface Devices {
  readonly load?: (bench: Bench, address: number, bytes: number) => number
  readonly store?: (bench: Bench, address: number, bytes: number, low: number, high: number) => void
}

export interface BenchOptions {
  readonly harts?: number
  readonly ramBytes?: number
  /** Without them nobody answers outside RAM. */
  readonly devices?: Devices
}

/** A trap as the handler finds it; `interrupt` is the top bit of the cause. */
export interface Trapped {
  readonly cause: number
  readonly value: bigint
  readonly pc: bigint
  readonly interrupt: boolean
}

export class Bench {
  readonly core: HartCore
  symbols: ReadonlyMap<string, number> = new Map()
  private readonly reset: Uint8Array
  private readonly view: DataView

  constructor({ harts = 1, ramBytes = 1 << 20, devices = {} }: BenchOptions = {}) {
    this.core = new HartCore(
      harts,
      ramBytes,
      {
        deviceLoad: (address, bytes) => {
          if (devices.load) return devices.load(this, address >>> 0, bytes)
          this.core.refuseAccess()
          return 0
        },
        deviceStore: (address, bytes, low, high) => {
          if (devices.store) devices.store(this, address >>> 0, bytes, low, high)
          else this.core.refuseAccess()
        },
      },
      tierFromEnvironment(),
    )
    this.view = new DataView(this.core.memory.buffer, this.core.ram.byteOffset, ramBytes)
    this.reset = this.core.saveHart(0)
  }

  /** All harts as after a reset, in machine mode, with RAM empty and open to every privilege. */
  clear(): void {
    this.core.ram.fill(0)
    this.core.ramChanged(RAM_BASE, this.core.ramBytes)
    this.core.flushAll()
    for (let hart = 0; hart < this.core.hartCount; hart++) {
      this.core.restoreHart(hart, this.reset)
      this.core.set(hart, "mhartid", hart)
      this.core.set(hart, "privilege", privilege.machine)
      this.core.setBig(hart, "mstatus", MSTATUS_RESET)
      this.core.setBig(hart, "pmpcfg0", 0x1fn)
      this.core.setBig(hart, "pmpaddr", (1n << 54n) - 1n)
      this.core.registersChanged(hart)
    }
    this.core.select(0)
  }

  /**
   * Clears, puts the program at the start of RAM and every hart's pc on it. After the program come a loop at `end`, where it arrives when
   * nothing goes wrong, and one at `trapped`, where every trap to machine mode arrives.
   */
  load(source: string): this {
    this.clear()
    const { bytes, symbols } = assemble(`${source}\nend: j end\n.align 2\ntrapped: j trapped\n`, RAM_BASE)
    this.symbols = symbols
    this.place(RAM_BASE, bytes)
    for (let hart = 0; hart < this.core.hartCount; hart++) {
      this.core.set(hart, "pc", RAM_BASE)
      this.core.set(hart, "mtvec", this.symbol("trapped"))
    }
    return this
  }

  /** Writes RAM as a device would. */
  place(physical: number, bytes: Uint8Array): void {
    this.core.ram.set(bytes, physical - RAM_BASE)
    this.core.ramChanged(physical, bytes.length)
  }

  /** Assembles a piece of program and puts it somewhere else. */
  placeProgram(physical: number, source: string): void {
    this.place(physical, assemble(source, physical).bytes)
  }

  symbol(name: string): number {
    const found = this.symbols.get(name)
    if (found === undefined) throw new Error(`the program has no ${name}`)
    return found
  }

  /** Executes this many instructions, fewer only when the hart waits or calls for the built-in SBI. */
  run(instructions = 5000, hart = 0): ExitReason {
    this.core.select(hart)
    const goal = this.core.executed(hart) + instructions
    for (;;) {
      const left = goal - this.core.executed(hart)
      if (left <= 0) return exitReason.budget
      const reason = this.core.run(left)
      this.core.takeInterrupts()
      if (reason === exitReason.wait || reason === exitReason.sbi) return reason
    }
  }

  /** Loads, runs and expects to arrive at `end`. */
  finish(source: string, instructions = 5000): this {
    this.load(source).run(instructions)
    return this.expectEnd()
  }

  expectEnd(hart = 0): this {
    const pc = this.core.get(hart, "pc")
    if (pc === this.symbol("end")) return this
    if (pc === this.symbol("trapped"))
      throw new Error(
        `trapped: ${JSON.stringify(this.trapped(), (_, v) => (typeof v === "bigint" ? `0x${v.toString(16)}` : v))}`,
      )
    throw new Error(`did not come to the end: pc is 0x${pc.toString(16)}`)
  }

  /** The trap that was last taken to machine mode. @throws Error when the hart is not at `trapped`. */
  trapped(hart = 0): Trapped {
    const pc = this.core.get(hart, "pc")
    if (pc !== this.symbol("trapped")) throw new Error(`no trap: pc is 0x${pc.toString(16)}`)
    return this.trapOf("m", hart)
  }

  /** What the trap registers of a mode hold. */
  trapOf(mode: "m" | "s", hart = 0): Trapped {
    const cause = this.core.getBig(hart, `${mode}cause`)
    return {
      cause: Number(cause & 0xffn),
      value: this.core.getBig(hart, `${mode}tval`),
      pc: this.core.getBig(hart, `${mode}epc`),
      interrupt: cause >> 63n === 1n,
    }
  }

  /** An integer register, unsigned. */
  x(name: string, hart = 0): bigint {
    return this.core.getBig(hart, "x", integerRegisters.get(name)!)
  }
  /** An integer register, signed. */
  signed(name: string, hart = 0): bigint {
    return BigInt.asIntN(64, this.x(name, hart))
  }
  setX(name: string, value: bigint, hart = 0): void {
    this.core.setBig(hart, "x", value, integerRegisters.get(name)!)
  }
  f(name: string): bigint {
    return this.core.getBig(0, "f", floatRegisters.get(name)!)
  }
  csr(name: FieldName, index = 0, hart = 0): bigint {
    return this.core.getBig(hart, name, index)
  }

  /** Changes registers from outside and lets the hart know. */
  change(values: Partial<Record<FieldName, bigint | number>>, hart = 0): this {
    for (const [name, value] of Object.entries(values)) {
      if (name === "privilege") this.core.set(hart, name, Number(value))
      else this.core.setBig(hart, name as FieldName, BigInt(value))
    }
    this.core.registersChanged(hart)
    return this
  }

  /** A doubleword of RAM, little-endian, unsigned. */
  word64(physical: number): bigint {
    return this.view.getBigUint64(physical - RAM_BASE, true)
  }
  setWord64(physical: number, value: bigint): void {
    this.view.setBigUint64(physical - RAM_BASE, BigInt.asUintN(64, value), true)
    this.core.ramChanged(physical, 8)
  }
  byte(physical: number): number {
    return this.view.getUint8(physical - RAM_BASE)
  }
}

/** Page-table entry bits. */
export const V = 1n
export const R = 2n
export const W = 4n
export const X = 8n
export const U = 16n
export const A = 64n
export const D = 128n

/** Page tables in a bench's RAM, from `root` up. */
export class PageTables {
  private readonly bench: Bench
  private readonly root: number
  private readonly levels: 3 | 4
  private free: number

  constructor(bench: Bench, levels: 3 | 4, root = RAM_BASE + 0x80000) {
    this.bench = bench
    this.root = root
    this.levels = levels
    this.free = root + 4096
  }

  /** satp that names these tables. */
  satp(asid = 0n): bigint {
    return (this.levels === 3 ? 8n : 9n) * (1n << 60n) + (asid << 44n) + BigInt(this.root >>> 12)
  }

  /** Address of the entry for a virtual address at a level (0: 4 KiB pages), tables on the way made. */
  entry(virtual: bigint, level = 0): number {
    let table = this.root
    for (let depth = this.levels - 1; ; depth--) {
      const at = table + Number((virtual >> BigInt(12 + 9 * depth)) & 0x1ffn) * 8
      if (depth === level) return at
      if (this.bench.word64(at) === 0n) {
        this.bench.setWord64(at, (BigInt(this.free) >> 2n) | V)
        this.free += 4096
      }
      table = Number((this.bench.word64(at) >> 10n) << 12n)
    }
  }

  map(virtual: bigint, physical: number, flags: bigint, level = 0): void {
    this.bench.setWord64(this.entry(virtual, level), (BigInt(physical) >> 2n) | flags)
  }
}
