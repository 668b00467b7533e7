/**
 * The oracle: RV64IMAFDC_Zifencei_Zba_Zbb_Zbs on BigInt, as the RISC-V unprivileged specification says it, one instruction at
 * a time. Registers hold unsigned 64-bit patterns.
 */
import type { Instruction } from "./decode.ts"
import { decode } from "./decode.ts"
import { binary32, binary64, canonicalNaN, type RoundingMode, signBit } from "./float.ts"
import { evaluate, type FloatOp, floatOps } from "./float-vectors.ts"

/** A synchronous exception, with the cause number and trap value of the privileged specification. */
export class Exception {
  readonly cause: number
  readonly value: bigint

  constructor(cause: number, value: bigint) {
    this.cause = cause
    this.value = value
  }
}

/** Byte-wise memory; both throw an Exception where there is none. */
export interface Memory {
  /** `size` bytes as an unsigned little-endian number. */
  load(address: bigint, size: number): bigint
  store(address: bigint, size: number, value: bigint): void
  fetch(address: bigint): number
}

/** What the instructions of the privileged architecture and Zicsr do; only they need it. */
export interface Environment {
  /** Does a CSR, mret, wfi or sfence.vma instruction; false for an illegal one. */
  system(hart: Hart, instruction: Instruction): boolean
}

const ILLEGAL_INSTRUCTION = 2
const BREAKPOINT = 3
const LOAD_MISALIGNED = 4
const STORE_MISALIGNED = 6
const ENVIRONMENT_CALL_FROM_MACHINE = 11

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value)
const sext32 = (value: bigint): bigint => u64(BigInt.asIntN(32, value))
const zext32 = (value: bigint): bigint => BigInt.asUintN(32, value)
const truth = (value: boolean): bigint => (value ? 1n : 0n)
const ones64 = (1n << 64n) - 1n

const leadingZeros = (value: bigint, width: number): bigint =>
  value === 0n ? BigInt(width) : BigInt(width - value.toString(2).length)
const trailingZeros = (value: bigint, width: number): bigint => {
  for (let n = 0; n < width; n++) if ((value >> BigInt(n)) & 1n) return BigInt(n)
  return BigInt(width)
}
const population = (value: bigint): bigint => BigInt(value.toString(2).replaceAll("0", "").length)
const rotateLeft = (value: bigint, amount: bigint, width: number): bigint =>
  BigInt.asUintN(width, (value << amount) | (value >> ((BigInt(width) - amount) % BigInt(width))))
const rotateRight = (value: bigint, amount: bigint, width: number): bigint =>
  rotateLeft(value, (BigInt(width) - amount) % BigInt(width), width)
const mapBytes = (value: bigint, change: (byte: bigint, index: number) => bigint): bigint => {
  let result = 0n
  for (let index = 0; index < 8; index++) result |= change((value >> BigInt(8 * index)) & 255n, index)
  return result
}

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const greater = (a: bigint, b: bigint): bigint => (a < b ? b : a)

/** Division as RISC-V has it: never a trap; by zero all ones and the dividend; overflow wraps. Arguments are signed or not. */
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? -1n : a / b)
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b)

/** rd from two operands, rs2 or the immediate; the names without their i of "immediate". */
const binaryOperations: Record<string, (a: bigint, b: bigint) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << (b & 63n),
  srl: (a, b) => a >> (b & 63n),
  sra: (a, b) => s64(a) >> (b & 63n),
  slt: (a, b) => truth(s64(a) < s64(b)),
  sltu: (a, b) => truth(a < b),
  xor: (a, b) => a ^ b,
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => sext32(a + b),
  subw: (a, b) => sext32(a - b),
  sllw: (a, b) => sext32(a << (b & 31n)),
  srlw: (a, b) => sext32(zext32(a) >> (b & 31n)),
  sraw: (a, b) => sext32(BigInt.asIntN(32, a) >> (b & 31n)),
  mul: (a, b) => a * b,
  mulh: (a, b) => (s64(a) * s64(b)) >> 64n,
  mulhsu: (a, b) => (s64(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  mulw: (a, b) => sext32(a * b),
  div: (a, b) => quotient(s64(a), s64(b)),
  divu: (a, b) => quotient(a, b),
  rem: (a, b) => remainder(s64(a), s64(b)),
  remu: (a, b) => remainder(a, b),
  divw: (a, b) => sext32(quotient(BigInt.asIntN(32, a), BigInt.asIntN(32, b))),
  divuw: (a, b) => sext32(quotient(zext32(a), zext32(b))),
  remw: (a, b) => sext32(remainder(BigInt.asIntN(32, a), BigInt.asIntN(32, b))),
  remuw: (a, b) => sext32(remainder(zext32(a), zext32(b))),
  sh1add: (a, b) => (a << 1n) + b,
  sh2add: (a, b) => (a << 2n) + b,
  sh3add: (a, b) => (a << 3n) + b,
  "add.uw": (a, b) => zext32(a) + b,
  "sh1add.uw": (a, b) => (zext32(a) << 1n) + b,
  "sh2add.uw": (a, b) => (zext32(a) << 2n) + b,
  "sh3add.uw": (a, b) => (zext32(a) << 3n) + b,
  "sll.uw": (a, b) => zext32(a) << (b & 63n),
  andn: (a, b) => a & ~b,
  orn: (a, b) => a | ~b,
  xnor: (a, b) => ~(a ^ b),
  min: (a, b) => (s64(a) < s64(b) ? a : b),
  max: (a, b) => (s64(a) < s64(b) ? b : a),
  minu: lesser,
  maxu: greater,
  rol: (a, b) => rotateLeft(a, b & 63n, 64),
  ror: (a, b) => rotateRight(a, b & 63n, 64),
  rolw: (a, b) => sext32(rotateLeft(zext32(a), b & 31n, 32)),
  rorw: (a, b) => sext32(rotateRight(zext32(a), b & 31n, 32)),
  bclr: (a, b) => a & ~(1n << (b & 63n)),
  bext: (a, b) => (a >> (b & 63n)) & 1n,
  binv: (a, b) => a ^ (1n << (b & 63n)),
  bset: (a, b) => a | (1n << (b & 63n)),
}

const immediateForms: Record<string, string> = {
  addi: "add",
  slti: "slt",
  sltiu: "sltu",
  xori: "xor",
  ori: "or",
  andi: "and",
  addiw: "addw",
  slli: "sll",
  srli: "srl",
  srai: "sra",
  slliw: "sllw",
  srliw: "srlw",
  sraiw: "sraw",
  "slli.uw": "sll.uw",
  rori: "ror",
  roriw: "rorw",
  bclri: "bclr",
  bexti: "bext",
  binvi: "binv",
  bseti: "bset",
}

const unaryOperations: Record<string, (a: bigint) => bigint> = {
  clz: a => leadingZeros(a, 64),
  ctz: a => trailingZeros(a, 64),
  cpop: a => population(a),
  clzw: a => leadingZeros(zext32(a), 32),
  ctzw: a => trailingZeros(zext32(a), 32),
  cpopw: a => population(zext32(a)),
  "sext.b": a => BigInt.asIntN(8, a),
  "sext.h": a => BigInt.asIntN(16, a),
  "zext.h": a => BigInt.asUintN(16, a),
  "orc.b": a => mapBytes(a, (byte, index) => (byte === 0n ? 0n : 255n) << BigInt(8 * index)),
  rev8: a => mapBytes(a, (byte, index) => byte << BigInt(56 - 8 * index)),
}

const branches: Record<string, (a: bigint, b: bigint) => boolean> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => s64(a) < s64(b),
  bge: (a, b) => s64(a) >= s64(b),
  bltu: (a, b) => a < b,
  bgeu: (a, b) => a >= b,
}

/** The new memory word; both operands are sign-extended to 64 bits from the access width, as unsigned patterns. */
const atomicOperations: Record<string, (memory: bigint, operand: bigint) => bigint> = {
  amoswap: (_, b) => b,
  amoadd: (a, b) => a + b,
  amoxor: (a, b) => a ^ b,
  amoand: (a, b) => a & b,
  amoor: (a, b) => a | b,
  amomin: (a, b) => (s64(a) < s64(b) ? a : b),
  amomax: (a, b) => (s64(a) < s64(b) ? b : a),
  amominu: lesser,
  amomaxu: greater,
}

const loadSizes: Record<string, { readonly size: number; readonly signed: boolean }> = {
  lb: { size: 1, signed: true },
  lh: { size: 2, signed: true },
  lw: { size: 4, signed: true },
  ld: { size: 8, signed: true },
  lbu: { size: 1, signed: false },
  lhu: { size: 2, signed: false },
  lwu: { size: 4, signed: false },
}
const storeSizes: Record<string, number> = { sb: 1, sh: 2, sw: 4, sd: 8 }

const isFloatOp = (name: string): name is FloatOp => (floatOps as readonly string[]).includes(name)
/** Operations that take no rounding mode. */
const unrounded = /^f(min|max|eq|lt|le|class)\./
const fused = /^fn?m(add|sub)\./

export class Hart {
  readonly x: bigint[] = Array.from({ length: 32 }, () => 0n)
  readonly f: bigint[] = Array.from({ length: 32 }, () => 0n)
  pc = 0n
  fflags = 0
  frm = 0
  /** Whether mstatus.FS lets floating point run. */
  floatEnabled = true
  /** Address and width of a valid reservation. */
  reservation: { readonly address: bigint; readonly size: number } | undefined
  readonly memory: Memory
  readonly environment: Environment

  constructor(memory: Memory, environment: Environment) {
    this.memory = memory
    this.environment = environment
  }

  /** Executes one instruction; throws an Exception, having changed nothing, if it traps. */
  step(): void {
    const word = this.memory.fetch(this.pc)
    const instruction = decode(word)
    if (instruction === undefined || !this.#execute(instruction))
      throw new Exception(ILLEGAL_INSTRUCTION, BigInt((word & 3) === 3 ? word : word & 0xffff))
  }

  #setX(register: number, value: bigint): void {
    if (register !== 0) this.x[register] = u64(value)
  }

  /** False if the instruction is illegal in the present state. */
  #execute(instruction: Instruction): boolean {
    const { name, rd, rs1, rs2, immediate, length } = instruction
    const a = this.x[rs1]!
    const b = this.x[rs2]!
    const next = u64(this.pc + BigInt(length))
    const finish = (result?: bigint): true => {
      if (result !== undefined) this.#setX(rd, result)
      this.pc = next
      return true
    }

    const binaryOperation = binaryOperations[name]
    if (binaryOperation !== undefined) return finish(binaryOperation(a, b))
    const immediateForm = immediateForms[name]
    if (immediateForm !== undefined) return finish(binaryOperations[immediateForm]!(a, u64(immediate)))
    const unaryOperation = unaryOperations[name]
    if (unaryOperation !== undefined) return finish(unaryOperation(a))
    const branch = branches[name]
    if (branch !== undefined) {
      this.pc = branch(a, b) ? u64(this.pc + immediate) : next
      return true
    }
    const loaded = loadSizes[name]
    if (loaded !== undefined) {
      const value = this.memory.load(u64(a + immediate), loaded.size)
      return finish(loaded.signed ? BigInt.asIntN(8 * loaded.size, value) : value)
    }
    const storeSize = storeSizes[name]
    if (storeSize !== undefined) {
      this.memory.store(u64(a + immediate), storeSize, BigInt.asUintN(8 * storeSize, b))
      return finish()
    }
    if (/^(lr|sc|amo)/.test(name)) return finish(this.#atomic(name, a, b))
    switch (name) {
      case "lui":
        return finish(immediate)
      case "auipc":
        return finish(this.pc + immediate)
      case "jal":
        this.#setX(rd, next)
        this.pc = u64(this.pc + immediate)
        return true
      case "jalr":
        this.#setX(rd, next)
        this.pc = u64(a + immediate) & (ones64 - 1n)
        return true
      case "fence":
      case "fence.i":
        return finish()
      case "ecall":
        throw new Exception(ENVIRONMENT_CALL_FROM_MACHINE, 0n)
      case "ebreak":
        throw new Exception(BREAKPOINT, 0n)
    }
    if (name.startsWith("f")) {
      if (!this.floatEnabled || !this.#float(instruction)) return false
      return finish()
    }
    const isReturn = name === "mret"
    if (!this.environment.system(this, instruction)) return false
    return isReturn ? true : finish()
  }

  #atomic(name: string, address: bigint, operand: bigint): bigint {
    const [operation, width] = name.split(".") as [string, string]
    const size = width === "w" ? 4 : 8
    const extend = (value: bigint): bigint => u64(BigInt.asIntN(8 * size, value))
    if (address % BigInt(size) !== 0n)
      throw new Exception(operation === "lr" ? LOAD_MISALIGNED : STORE_MISALIGNED, address)
    if (operation === "lr") {
      const value = this.memory.load(address, size)
      this.reservation = { address, size }
      return extend(value)
    }
    if (operation === "sc") {
      const held = this.reservation
      this.reservation = undefined
      if (held === undefined || held.address !== address || held.size !== size) return 1n
      this.memory.store(address, size, BigInt.asUintN(8 * size, operand))
      return 0n
    }
    const old = extend(this.memory.load(address, size))
    const result = atomicOperations[operation]!(old, extend(operand))
    this.memory.store(address, size, BigInt.asUintN(8 * size, result))
    return old
  }

  /** A single is valid only when the upper half of its register is all ones. */
  #unboxed(register: number, single: boolean): bigint {
    const bits = this.f[register]!
    if (!single) return bits
    return bits >> 32n === 0xffffffffn ? zext32(bits) : canonicalNaN(binary32)
  }

  #setF(register: number, bits: bigint, single: boolean): void {
    this.f[register] = single ? (0xffffffffn << 32n) | bits : bits
  }

  #float({ name, rd, rs1, rs2, rs3, immediate, rm }: Instruction): boolean {
    const [operation, to, from] = name.split(".") as [string, string | undefined, string | undefined]
    if (operation === "flw" || operation === "fld") {
      const size = operation === "flw" ? 4 : 8
      this.#setF(rd, this.memory.load(u64(this.x[rs1]! + immediate), size), size === 4)
      return true
    }
    if (operation === "fsw" || operation === "fsd") {
      const size = operation === "fsw" ? 4 : 8
      this.memory.store(u64(this.x[rs1]! + immediate), size, BigInt.asUintN(8 * size, this.f[rs2]!))
      return true
    }
    if (operation === "fmv") {
      if (from === "x") this.#setF(rd, to === "w" ? zext32(this.x[rs1]!) : this.x[rs1]!, to === "w")
      else this.#setX(rd, from === "w" ? sext32(this.f[rs1]!) : this.f[rs1]!)
      return true
    }
    const single = (operation === "fcvt" && (from === "s" || from === "d") ? from : to) === "s"
    const resultIsSingle = to === "s"
    const format = single ? binary32 : binary64
    if (operation!.startsWith("fsgnj")) {
      const a = this.#unboxed(rs1, single)
      const b = this.#unboxed(rs2, single)
      const sign = { fsgnj: b, fsgnjn: ~b, fsgnjx: a ^ b }[operation as "fsgnj" | "fsgnjn" | "fsgnjx"] & signBit(format)
      this.#setF(rd, (a & (signBit(format) - 1n)) | sign, single)
      return true
    }
    const mode = rm === 7 ? this.frm : rm
    if (!unrounded.test(name) && mode > 4) return false
    const rounding = mode as RoundingMode
    const fromInteger = operation === "fcvt" && from !== "s" && from !== "d"
    const a = fromInteger ? this.x[rs1]! : this.#unboxed(rs1, single)
    let result: { readonly bits: bigint; readonly flags: number }
    if (fused.test(name)) {
      const negate = (bits: bigint, condition: boolean): bigint => (condition ? bits ^ signBit(format) : bits)
      // fnmadd and fnmsub negate the product; fmsub and fnmadd subtract the addend.
      const product = negate(a, operation!.startsWith("fnm"))
      const addend = negate(this.#unboxed(rs3, single), operation === "fmsub" || operation === "fnmadd")
      result = evaluate(single ? "fmadd.s" : "fmadd.d", product, this.#unboxed(rs2, single), addend, rounding)
    } else if (isFloatOp(name)) {
      result = evaluate(name, a, this.#unboxed(rs2, single), 0n, rounding)
    } else return false
    this.fflags |= result.flags
    const toInteger = /^f(eq|lt|le|class)\./.test(name) || (operation === "fcvt" && to !== "s" && to !== "d")
    if (toInteger) this.#setX(rd, result.bits)
    else this.#setF(rd, result.bits, resultIsSingle)
    return true
  }
}
