/**
 * Instruction encodings as the differential generator needs them, straight from the RISC-V unprivileged specification, and a
 * two-pass-free assembler with labels. Independent of `src/riscv`, so that a mistake there cannot hide here.
 */

export const rType = (opcode: number, f3: number, f7: number, rd: number, rs1: number, rs2: number): number =>
  ((f7 << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0

/** `immediate` is 12 bits, signed or unsigned: the low 12 bits are taken. */
export const iType = (opcode: number, f3: number, rd: number, rs1: number, immediate: number): number =>
  ((immediate << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0

export const sType = (opcode: number, f3: number, rs1: number, rs2: number, immediate: number): number =>
  (((immediate & 0xfe0) << 20) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | ((immediate & 0x1f) << 7) | opcode) >>> 0

const assertReach = (offset: number, bits: number): void => {
  if (offset % 2 !== 0 || offset < -(2 ** bits) || offset >= 2 ** bits)
    throw new Error(`A jump of ${offset} bytes does not fit into its instruction.`)
}

/** `offset` is even, in [-4096, 4095]. */
export const bType = (f3: number, rs1: number, rs2: number, offset: number): number => {
  assertReach(offset, 12)
  return (
    (scatter(offset, [12, 31, 1], [5, 25, 6], [1, 8, 4], [11, 7, 1]) |
      (rs2 << 20) |
      (rs1 << 15) |
      (f3 << 12) |
      0x63) >>>
    0
  )
}

/** `upper` is the value of bits 31..12. */
export const uType = (opcode: number, rd: number, upper: number): number => ((upper << 12) | (rd << 7) | opcode) >>> 0

/** `offset` is even, in [-1 MiB, 1 MiB). */
export const jType = (rd: number, offset: number): number => {
  assertReach(offset, 20)
  return (scatter(offset, [20, 31, 1], [1, 21, 10], [11, 20, 1], [12, 12, 8]) | (rd << 7) | 0x6f) >>> 0
}

/** Bits of a value moved to places: `[from, to, count]` each. */
export const scatter = (value: number, ...fields: readonly (readonly [number, number, number])[]): number => {
  let result = 0
  for (const [from, to, count] of fields) result |= ((value >> from) & ((1 << count) - 1)) << to
  return result
}

/** c.j: `offset` is even, in [-2048, 2047]. */
export const cJump = (offset: number): number =>
  0xa001 | scatter(offset, [11, 12, 1], [4, 11, 1], [8, 9, 2], [10, 8, 1], [6, 7, 1], [7, 6, 1], [1, 3, 3], [5, 2, 1])

/** c.beqz / c.bnez on x8..x15: `offset` is even, in [-256, 255]. */
export const cBranch = (notZero: boolean, register: number, offset: number): number =>
  (notZero ? 0xe001 : 0xc001) |
  ((register - 8) << 7) |
  scatter(offset, [8, 12, 1], [3, 10, 2], [6, 5, 2], [1, 3, 2], [5, 2, 1])

export const C_EBREAK = 0x9002
export const C_RETURN = 0x8082
export const EBREAK = 0x00100073
export const ECALL = 0x00000073
export const MRET = 0x30200073
export const SRET = 0x10200073
export const WFI = 0x10500073
export const FENCE_I = 0x0000100f
export const SFENCE_ALL = 0x12000073

/** Emits little-endian code and data into a growing image that starts at `base`. */
export class Assembler {
  readonly base: number
  #bytes = new Uint8Array(1 << 16)
  #view = new DataView(this.#bytes.buffer)
  #position = 0
  readonly #labels = new Map<string, number>()
  readonly #fixups: { at: number; label: string; patch: (offset: number) => number }[] = []
  /** Called with the address of every instruction emitted. */
  observer: ((address: number) => void) | undefined

  constructor(base: number) {
    this.base = base
  }

  get here(): number {
    return this.base + this.#position
  }

  /** Moves on to an address; the gap is zeros. */
  seek(address: number): void {
    this.#reserve(address - this.base)
    this.#position = address - this.base
  }

  align(bytes: number): void {
    this.seek(Math.ceil(this.here / bytes) * bytes)
  }

  instruction(word: number): void {
    this.observer?.(this.here)
    if ((word & 3) === 3) this.word32(word)
    else this.word16(word)
  }

  word16(value: number): void {
    this.#reserve(this.#position + 2)
    this.#view.setUint16(this.#position, value, true)
    this.#position += 2
  }

  word32(value: number): void {
    this.#reserve(this.#position + 4)
    this.#view.setUint32(this.#position, value, true)
    this.#position += 4
  }

  word64(value: bigint): void {
    this.#reserve(this.#position + 8)
    this.#view.setBigUint64(this.#position, BigInt.asUintN(64, value), true)
    this.#position += 8
  }

  patch(address: number, word: number): void {
    const at = address - this.base
    if ((word & 3) === 3) this.#view.setUint32(at, word, true)
    else this.#view.setUint16(at, word, true)
  }

  label(name: string): void {
    if (this.#labels.has(name)) throw new Error(`The label ${name} is defined twice.`)
    this.#labels.set(name, this.here)
  }

  addressOf(label: string): number {
    const address = this.#labels.get(label)
    if (address === undefined) throw new Error(`The label ${label} is not defined.`)
    return address
  }

  /** Emits an instruction whose offset to `label` is filled in by `resolve`. */
  toLabel(label: string, patch: (offset: number) => number): void {
    this.#fixups.push({ at: this.here, label, patch })
    this.instruction(patch(0))
  }

  jump(label: string, rd = 0): void {
    this.toLabel(label, offset => jType(rd, offset))
  }

  branch(f3: number, rs1: number, rs2: number, label: string): void {
    this.toLabel(label, offset => bType(f3, rs1, rs2, offset))
  }

  load(rd: number, offset: number, rs1: number): void {
    this.instruction(iType(0x03, 3, rd, rs1, offset))
  }

  store(rs2: number, offset: number, rs1: number): void {
    this.instruction(sType(0x23, 3, rs1, rs2, offset))
  }

  addImmediate(rd: number, rs1: number, immediate: number): void {
    this.instruction(iType(0x13, 0, rd, rs1, immediate))
  }

  csrRead(rd: number, csr: number): void {
    this.instruction(iType(0x73, 2, rd, 0, csr))
  }

  csrWrite(csr: number, rs1: number, rd = 0): void {
    this.instruction(iType(0x73, 1, rd, rs1, csr))
  }

  csrSet(csr: number, rs1: number): void {
    this.instruction(iType(0x73, 2, 0, rs1, csr))
  }

  csrClear(csr: number, rs1: number): void {
    this.instruction(iType(0x73, 3, 0, rs1, csr))
  }

  /** rd = a nearby address, by auipc and addi. */
  addressTo(rd: number, address: number): void {
    const offset = address - this.here
    const low = (offset << 20) >> 20
    this.instruction(uType(0x17, rd, (offset - low) >> 12))
    this.addImmediate(rd, rd, low)
  }

  /** The image from `base` to here, labels resolved. */
  finish(): Uint8Array {
    for (const { at, label, patch } of this.#fixups) this.patch(at, patch(this.addressOf(label) - at))
    return this.#bytes.slice(0, this.#position)
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(size, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
