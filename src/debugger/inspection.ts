/** Looking at a machine where it stands: registers, memory, what comes next. Nothing here changes anything. */
import { Buffer } from "node:buffer"
import type { HartLife, Machine } from "../machine/machine.ts"
import { readRam, type Walk, walk } from "../machine/page-walk.ts"
import { csrByName } from "../riscv/csr-name.ts"
import { disassemble } from "../riscv/disassembler.ts"
import { floatRegisters, integerRegisters } from "../riscv/register.ts"

const PAGE_BYTES = 4096

/** An instruction in memory. */
export interface PlacedInstruction {
  readonly address: bigint
  readonly bytes: 2 | 4
  readonly word: number
  readonly text: string
}

export class Inspection {
  readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  get harts(): number {
    return this.machine.config.harts
  }

  /** The hart whose turn it is. */
  get runningHart(): number {
    return this.machine.position.hart
  }

  pc(hart: number): bigint {
    return this.machine.core.getBig(hart, "pc")
  }

  /** Whether a hart executes, waits for an interrupt, or was not started. */
  lifeOf(hart: number): HartLife {
    return this.machine.lifeOf(hart)
  }

  /** Instructions a hart has executed. */
  executed(hart: number): number {
    return this.machine.core.executed(hart)
  }

  /** x0 … x31, ABI names, f0 … f31, pc, or a CSR, as unsigned 64 bits; null for a name that is none of them. */
  register(hart: number, name: string): bigint | null {
    const { core } = this.machine
    if (name === "pc") return core.getBig(hart, "pc")
    if (name === "privilege" || name === "priv") return BigInt(core.get(hart, "privilege"))
    const integer = integerRegisters.get(name)
    if (integer !== undefined) return integer === 0 ? 0n : core.getBig(hart, "x", integer)
    const float = floatRegisters.get(name)
    if (float !== undefined) return core.getBig(hart, "f", float)
    const plain = name.replace(/^csr\./, "")
    // A hart whose floating point is turned off cannot read them; they are there.
    const [flags, rounding] = [core.get(hart, "fflags"), core.get(hart, "frm")]
    if (plain === "fflags") return BigInt(flags)
    if (plain === "frm") return BigInt(rounding)
    if (plain === "fcsr") return BigInt((rounding << 5) | flags)
    const csr = csrByName(plain)
    return csr === null ? null : core.readCsr(hart, csr)
  }

  /** How a virtual address is looked up for a hart. */
  walk(hart: number, virtual: bigint): Walk {
    return walk(this.machine.core, hart, virtual)
  }

  /** The physical address, null where nothing is mapped. */
  physical(hart: number, virtual: bigint): bigint | null {
    return this.walk(hart, virtual).physical
  }

  /** Bytes of physical memory; null where not all of them lie in RAM or in the boot ROM. */
  readPhysical(address: bigint, length: number): Uint8Array | null {
    const { core } = this.machine
    const rom = core.rom
    const offset = address - 0x1000n
    if (offset >= 0n && offset + BigInt(length) <= BigInt(rom.length))
      return rom.slice(Number(offset), Number(offset) + length)
    return readRam(core, address, length)
  }

  /** Bytes of memory as a hart addresses it; null where not all of them are there. */
  read(hart: number, virtual: bigint, length: number): Uint8Array | null {
    const bytes = this.readSome(hart, virtual, length)
    return bytes.length === length ? bytes : null
  }

  /** The same as far as there is memory. */
  readSome(hart: number, virtual: bigint, length: number): Uint8Array {
    const found = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const address = BigInt.asUintN(64, virtual + BigInt(at))
      const part = Math.min(length - at, PAGE_BYTES - Number(address & 0xfffn))
      const physical = this.physical(hart, address)
      const bytes = physical === null ? null : this.readPhysical(physical, part)
      if (bytes === null) return found.subarray(0, at)
      found.set(bytes, at)
      at += part
    }
    return found
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes; null where there is no memory. */
  readInteger(hart: number, virtual: bigint, bytes: number): bigint | null {
    const found = this.read(hart, virtual, bytes)
    return found && integerOf(found)
  }

  /** The instruction at an address; null where there is no memory. */
  instruction(hart: number, address: bigint): PlacedInstruction | null {
    const low = this.readInteger(hart, address, 2)
    if (low === null) return null
    const isShort = (low & 3n) !== 3n
    const high = isShort ? 0n : this.readInteger(hart, address + 2n, 2)
    if (high === null) return null
    const word = Number(low | (high << 16n))
    return { address, bytes: isShort ? 2 : 4, word, text: disassemble(word, address).text }
  }

  /** Instructions from an address on, as far as there is memory. */
  instructions(hart: number, address: bigint, count: number): readonly PlacedInstruction[] {
    const list: PlacedInstruction[] = []
    for (let next = address; list.length < count; ) {
      const instruction = this.instruction(hart, next)
      if (instruction === null) break
      list.push(instruction)
      next += BigInt(instruction.bytes)
    }
    return list
  }
}

/** The first and the last physical address of a machine's memory. */
export const ramOf = ({
  inspection,
}: {
  readonly inspection: Inspection
}): { readonly first: bigint; readonly last: bigint } => {
  const first = 0x8000_0000n
  return { first, last: first + BigInt(inspection.machine.config.ramBytes) - 1n }
}

/** An unsigned integer, lowest byte first. */
export const integerOf = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`)
