/**
 * Just enough of a machine around the oracle's hart to run a bare-metal program in machine mode: RAM, traps to mtvec, CSRs as
 * plain storage with their writable bits, UART output and the power-off device. No translation, protection or interrupts.
 */
import type { Instruction } from "./decode.ts"
import { Exception, Hart } from "./hart.ts"

const RAM_BASE = 0x8000_0000n
const UART = 0x1000_0000n
const POWER_OFF = 0x10_0000n
const CLINT = 0x0200_0000n
const CLINT_SIZE = 0x1_0000n
const UART_IDLE = 0x60n

const FETCH_ACCESS = 1
const LOAD_ACCESS = 5
const STORE_ACCESS = 7

const MSTATUS = 0x300
const MTVEC = 0x305
const MEPC = 0x341
const MCAUSE = 0x342
const MTVAL = 0x343
const MIE = 1n << 3n
const MPIE = 1n << 7n
const MPP = 3n << 11n
const FS = 3n << 13n
const MPRV = 1n << 17n
const WIDTHS = 0xa_0000_0000n

const all = (1n << 64n) - 1n
/** Writable bits of the registers there are. */
const writable = new Map<number, bigint>([
  [0x100, 0xc_6122n],
  [0x104, 0n],
  [0x105, all],
  [0x106, 7n],
  [0x140, all],
  [0x141, all - 1n],
  [0x142, all],
  [0x143, all],
  [0x144, 0n],
  [0x180, all],
  [MSTATUS, 0x7e_79aan],
  [0x302, 0xb1ffn],
  [0x303, 0x222n],
  [0x304, 0xaaan],
  [MTVEC, all],
  [0x306, 7n],
  [0x340, all],
  [MEPC, all - 1n],
  [MCAUSE, all],
  [MTVAL, all],
  [0x344, 0x222n],
  [0x3a0, all],
  [0x3a2, all],
  ...Array.from({ length: 16 }, (_, n): [number, bigint] => [0x3b0 + n, (1n << 54n) - 1n]),
])

class PowerOff {}

/** Runs a raw image at 0x80000000 until it powers off and returns what it wrote to the UART. */
export const runOracle = (
  image: Uint8Array,
  options: { readonly ramBytes: number },
): { console: string; finished: true } => {
  const bytes = new Uint8Array(options.ramBytes)
  bytes.set(image)
  const view = new DataView(bytes.buffer)
  const csrs = new Map<number, bigint>([...writable.keys()].map(number => [number, 0n]))
  csrs.set(MSTATUS, WIDTHS)
  let console = ""

  const inRam = (address: bigint, size: number): boolean =>
    address >= RAM_BASE && address + BigInt(size) <= RAM_BASE + BigInt(bytes.length)
  const place = (address: bigint): number => Number(address - RAM_BASE)

  const hart = new Hart(
    {
      load(address, size) {
        if (inRam(address, size)) {
          let value = 0n
          for (let n = size - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[place(address) + n]!)
          return value
        }
        if (address === UART + 5n) return UART_IDLE
        throw new Exception(LOAD_ACCESS, address)
      },
      store(address, size, value) {
        if (inRam(address, size)) {
          for (let n = 0; n < size; n++) bytes[place(address) + n] = Number((value >> BigInt(8 * n)) & 255n)
          return
        }
        if (address === UART) console += String.fromCharCode(Number(value & 255n))
        else if (address === POWER_OFF) throw new PowerOff()
        else if (address < CLINT || address >= CLINT + CLINT_SIZE) throw new Exception(STORE_ACCESS, address)
      },
      fetch(address) {
        if (!inRam(address, 2)) throw new Exception(FETCH_ACCESS, address)
        const low = view.getUint16(place(address), true)
        if ((low & 3) !== 3) return low
        if (!inRam(address, 4)) throw new Exception(FETCH_ACCESS, address + 2n)
        return view.getUint32(place(address), true)
      },
    },
    { system: (_, instruction) => system(instruction) },
  )

  const syncFloat = (): void => {
    hart.floatEnabled = (csrs.get(MSTATUS)! & FS) !== 0n
  }

  const readCsr = (number: number): bigint | undefined => {
    if (number >= 1 && number <= 3) {
      if (!hart.floatEnabled) return undefined
      return BigInt([hart.fflags, hart.frm, (hart.frm << 5) | hart.fflags][number - 1]!)
    }
    if (number === 0xf14) return 0n
    return csrs.get(number)
  }

  const writeCsr = (number: number, value: bigint): void => {
    const low = Number(value & 0xffn)
    if (number === 1) hart.fflags = low & 31
    else if (number === 2) hart.frm = low & 7
    else if (number === 3) [hart.fflags, hart.frm] = [low & 31, low >> 5]
    else if (number === MSTATUS) csrs.set(number, WIDTHS | (value & writable.get(number)!))
    else csrs.set(number, value & writable.get(number)!)
    syncFloat()
  }

  /** mret, sfence.vma and the six CSR instructions. */
  const system = ({ name, rd, rs1, immediate }: Instruction): boolean => {
    if (name === "mret") {
      const status = csrs.get(MSTATUS)!
      hart.pc = csrs.get(MEPC)!
      const enabled = (status & MPIE) !== 0n ? MIE : 0n
      const modify = (status & MPP) === MPP ? 0n : MPRV
      csrs.set(MSTATUS, (status & ~(MIE | MPP | modify)) | enabled | MPIE)
      return true
    }
    if (name === "sfence.vma") return true
    if (!name.startsWith("csr")) return false
    const number = Number(immediate)
    const operation = name.slice(4, 5)
    const writes = operation === "w" || rs1 !== 0
    const old = readCsr(number)
    if (old === undefined || (writes && number >> 10 === 3)) return false
    const operand = name.endsWith("i") ? BigInt(rs1) : hart.x[rs1]!
    if (writes) writeCsr(number, operation === "w" ? operand : operation === "s" ? old | operand : old & ~operand)
    if (rd !== 0) hart.x[rd] = old
    return true
  }

  hart.pc = RAM_BASE
  syncFloat()
  try {
    for (;;) {
      try {
        hart.step()
      } catch (exception) {
        if (!(exception instanceof Exception)) throw exception
        const status = csrs.get(MSTATUS)!
        csrs.set(MSTATUS, (status & ~(MIE | MPIE)) | MPP | ((status & MIE) !== 0n ? MPIE : 0n))
        csrs.set(MEPC, hart.pc)
        csrs.set(MCAUSE, BigInt(exception.cause))
        csrs.set(MTVAL, exception.value)
        hart.pc = csrs.get(MTVEC)! & ~3n
      }
    }
  } catch (end) {
    if (end instanceof PowerOff) return { console, finished: true }
    throw end
  }
}
