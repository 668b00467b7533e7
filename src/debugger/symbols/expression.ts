/**
 * The expressions that say where a value is: a stack machine.
 *
 * Specification: DWARF 5, sections 2.5 and 2.6 and 7.7; RISC-V DWARF psABI for register numbers.
 */
import { ByteReader } from "./byte-reader.ts"
import type { Unit } from "./debug-info.ts"
import { Attribute, Encoding } from "./dwarf-numbers.ts"
import { type FrameState, readNumber } from "./frame-state.ts"

/** Where a value is. Null in place of one means that it is nowhere: optimized out. */
export type Location =
  | { readonly kind: "memory"; readonly address: bigint }
  | { readonly kind: "register"; readonly number: number }
  /** The value itself: its low 64 bits, or its bytes. */
  | { readonly kind: "value"; readonly value: bigint }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "pieces"; readonly pieces: readonly Piece[] }

/** So many bits of a value, from that bit of a location on. */
export interface Piece {
  readonly location: Location | null
  readonly bitSize: number
  readonly bitOffset: number
}

export interface ExpressionContext extends Pick<FrameState, "bias" | "register" | "memory" | "cfa"> {
  /** The unit the expression is from; null in tables of call frames, which need none. */
  readonly unit: Unit | null
  frameBase(): bigint | null
  /** What an expression gave when the function was entered. */
  entryValue(expression: Uint8Array): bigint | null
}

/** A number on the stack; `type` is null for one of the machine's word size. */
interface Operand {
  readonly value: bigint
  readonly type: OperandType | null
}

interface OperandType {
  readonly bits: number
  readonly kind: "signed" | "unsigned" | "float"
}

/** Loops in an expression end after this many operations. */
const MAX_OPERATIONS = 10_000
const MAX_DEPTH = 1_000

/** Operations of GCC before DWARF 5, and what they are in DWARF 5. */
const GNU: ReadonlyMap<number, number> = new Map([
  [0xf0, 0x96], // uninit
  [0xf3, 0xa3], // entry_value
  [0xf4, 0xa4], // const_type
  [0xf5, 0xa5], // regval_type
  [0xf6, 0xa6], // deref_type
  [0xf7, 0xa8], // convert
  [0xf9, 0xa9], // reinterpret
  [0xfb, 0xa1], // addr_index
  [0xfc, 0xa2], // const_index
])

/** Thrown where something needed is not known. */
class Unavailable extends Error {}

/**
 * Where the value is. `initial` lies on the stack at the beginning, the last one uppermost.
 * @throws DebugInfoDamaged if the expression is none.
 */
export function evaluate(
  expression: Uint8Array,
  context: ExpressionContext,
  initial: readonly bigint[] = [],
): Location | null {
  try {
    return new Evaluation(expression, context, initial).run()
  } catch (problem) {
    if (problem instanceof Unavailable) return null
    throw problem
  }
}

/** An expression whose result is a number: an address, or a rule of a call frame. */
export function evaluateNumber(
  expression: Uint8Array,
  context: ExpressionContext,
  initial: readonly bigint[] = [],
): bigint | null {
  const location = evaluate(expression, context, initial)
  if (location?.kind === "memory") return location.address
  if (location?.kind === "value") return location.value
  return location?.kind === "register" ? context.register(location.number) : null
}

class Evaluation {
  private readonly reader: ByteReader
  private readonly context: ExpressionContext
  private readonly stack: Operand[]
  private readonly pieces: Piece[] = []
  /** Where the value is, once an operation has said so. */
  private location: Location | null = null

  constructor(expression: Uint8Array, context: ExpressionContext, initial: readonly bigint[]) {
    this.reader = new ByteReader(expression, "location expression")
    this.context = context
    this.stack = initial.map(value => ({ value, type: null }))
  }

  run(): Location | null {
    const { reader, stack } = this
    for (let count = 0; !reader.isAtEnd; count++) {
      if (count > MAX_OPERATIONS || stack.length > MAX_DEPTH) reader.damaged("it does not end")
      const code = reader.u8()
      this.operation(GNU.get(code) ?? code)
    }
    return this.pieces.length > 0 ? { kind: "pieces", pieces: this.pieces } : this.here()
  }

  /** The location the operations so far describe. */
  private here(): Location | null {
    if (this.location !== null || this.stack.length === 0) return this.location
    return { kind: "memory", address: BigInt.asUintN(64, this.pop().value) }
  }

  private push(value: bigint, type: OperandType | null = null): void {
    this.stack.push({ value: normalized(value, type), type })
  }

  private pop(): Operand {
    return this.stack.pop() ?? this.reader.damaged("its stack is empty")
  }

  private peek(depth: number): Operand {
    return this.stack.at(-1 - depth) ?? this.reader.damaged("its stack is empty")
  }

  private register(number: number): bigint {
    return known(this.context.register(number))
  }

  private operation(code: number): void {
    const { reader, context, stack } = this
    if (code >= 0x30 && code < 0x50) return this.push(BigInt(code - 0x30))
    if (code >= 0x50 && code < 0x70) return this.at({ kind: "register", number: code - 0x50 })
    if (code >= 0x70 && code < 0x90) return this.push(this.register(code - 0x70) + reader.sleb64())
    if (code >= 0x08 && code < 0x10) {
      const size = 1 << ((code - 0x08) >> 1)
      const value = reader.unsigned(size)
      return this.push(code & 1 ? BigInt.asIntN(8 * size, value) : value)
    }
    if (code >= 0x1a && code < 0x28 && code !== 0x1f && code !== 0x20 && code !== 0x23) return this.binary(code)
    if (code >= 0x29 && code < 0x2f) return this.compare(code)
    switch (code) {
      case 0x03: // addr
        return this.push(reader.u64() + context.bias)
      case 0x06: // deref
        return this.push(known(readNumber(context, this.pop().value, 8)))
      case 0x10: // constu
        return this.push(reader.uleb64())
      case 0x11: // consts
        return this.push(reader.sleb64())
      case 0x12: // dup
        stack.push(this.peek(0))
        return
      case 0x13: // drop
        this.pop()
        return
      case 0x14: // over
        stack.push(this.peek(1))
        return
      case 0x15: // pick
        stack.push(this.peek(reader.u8()))
        return
      case 0x16: {
        // swap
        const upper = this.pop()
        stack.splice(-1, 1, upper, this.peek(0))
        return
      }
      case 0x17: {
        // rot: the uppermost goes below the next two
        const upper = this.pop()
        this.peek(1)
        stack.splice(-2, 0, upper)
        return
      }
      case 0x19: {
        // abs
        const { value, type } = this.pop()
        const signed = type === null ? BigInt.asIntN(64, value) : value
        return this.push(signed < 0n ? -signed : signed, type)
      }
      case 0x1f: {
        // neg
        const { value, type } = this.pop()
        return this.push(-value, type)
      }
      case 0x20: {
        // not
        const { value, type } = this.pop()
        return this.push(~value, type)
      }
      case 0x23: {
        // plus_uconst
        const { value, type } = this.pop()
        return this.push(value + reader.uleb64(), type)
      }
      case 0x28: {
        // bra
        const distance = BigInt.asIntN(16, reader.unsigned(2))
        if (this.pop().value !== 0n) this.jump(Number(distance))
        return
      }
      case 0x2f: // skip
        return this.jump(Number(BigInt.asIntN(16, reader.unsigned(2))))
      case 0x90: // regx
        return this.at({ kind: "register", number: reader.uleb() })
      case 0x91: // fbreg
        return this.push(known(context.frameBase()) + reader.sleb64())
      case 0x92: // bregx
        return this.push(this.register(reader.uleb()) + reader.sleb64())
      case 0x93: // piece
        return this.piece(8 * reader.uleb(), 0)
      case 0x9d: // bit_piece
        return this.piece(reader.uleb(), reader.uleb())
      case 0x94: // deref_size
        return this.push(known(readNumber(context, this.pop().value, this.smallSize())))
      case 0x96: // nop
        return
      case 0x9c: // call_frame_cfa
        return this.push(known(context.cfa()))
      case 0x9e: // implicit_value
        return this.at({ kind: "bytes", bytes: reader.bytes(reader.uleb()) })
      case 0x9f: // stack_value
        return this.at({ kind: "value", value: this.pop().value })
      case 0xa1: // addrx
        return this.push(this.unit().addressNumber(reader.uleb()) + context.bias)
      case 0xa2: // constx
        return this.push(this.unit().addressNumber(reader.uleb()))
      case 0xa3: // entry_value
        return this.push(known(context.entryValue(reader.bytes(reader.uleb()))))
      case 0xa4: {
        // const_type
        const type = this.operandType(reader.uleb())
        return this.push(reader.unsigned(this.smallSize()), type)
      }
      case 0xa5: {
        // regval_type
        const number = reader.uleb()
        return this.push(this.register(number), this.operandType(reader.uleb()))
      }
      case 0xa6: {
        // deref_type
        const size = this.smallSize()
        return this.push(known(readNumber(context, this.pop().value, size)), this.operandType(reader.uleb()))
      }
      case 0xa8: {
        // convert
        const { value, type: from } = this.pop()
        const to = this.operandType(reader.uleb())
        if ((from?.kind === "float") !== (to?.kind === "float") || (to?.kind === "float" && from?.bits !== to.bits))
          throw new Unavailable()
        return this.push(value, to)
      }
      case 0xa9: // reinterpret
        return this.push(this.pop().value, this.operandType(reader.uleb()))
      default:
        // Thread-local variables, calls of other expressions, pointers to what is optimized out, what compilers may add.
        throw new Unavailable()
    }
  }

  private at(location: Location): void {
    this.location = location
  }

  private piece(bitSize: number, bitOffset: number): void {
    this.pieces.push({ location: this.here(), bitSize, bitOffset })
    this.location = null
  }

  private jump(distance: number): void {
    const target = this.reader.at + distance
    if (target < 0 || target > this.reader.end) this.reader.damaged("it jumps out of itself")
    this.reader.at = target
  }

  /** The size of something that fits into a word, in bytes. */
  private smallSize(): number {
    const size = this.reader.u8()
    if (size > 8) throw new Unavailable()
    return size
  }

  private unit(): Unit {
    return known(this.context.unit)
  }

  /** The base type at an offset of the unit; 0 stands for none. */
  private operandType(offset: number): OperandType | null {
    if (offset === 0) return null
    const unit = this.unit()
    const entry = known(unit.entryOrEnd(unit.offset + offset))
    const encoding = entry.number(Attribute.encoding)
    const bits = 8 * (entry.number(Attribute.byte_size) ?? 0)
    if (bits > 128) throw new Unavailable()
    if (encoding === Encoding.float) return { bits, kind: "float" }
    const isSigned = encoding === Encoding.signed || encoding === Encoding.signed_char
    return { bits, kind: isSigned ? "signed" : "unsigned" }
  }

  private binary(code: number): void {
    const right = this.pop()
    const { value: a, type } = this.pop()
    if (type?.kind === "float") throw new Unavailable()
    const bits = type?.bits ?? 64
    const b = right.value
    const signed = (value: bigint) => BigInt.asIntN(bits, value)
    const unsigned = (value: bigint) => BigInt.asUintN(bits, value)
    const shift = b < 0n || b >= BigInt(bits) ? null : b
    const divisor = () => (b === 0n ? this.reader.damaged("it divides by zero") : b)
    const result = () => {
      switch (code) {
        case 0x1a:
          return a & b
        case 0x1b:
          return type?.kind === "unsigned" ? a / divisor() : signed(a) / signed(divisor())
        case 0x1c:
          return a - b
        case 0x1d:
          return a % divisor()
        case 0x1e:
          return a * b
        case 0x21:
          return a | b
        case 0x22:
          return a + b
        case 0x24:
          return shift === null ? 0n : a << shift
        case 0x25:
          return shift === null ? 0n : unsigned(a) >> shift
        case 0x26:
          return signed(a) >> (shift ?? BigInt(bits - 1))
        default:
          return a ^ b
      }
    }
    this.push(result(), type)
  }

  private compare(code: number): void {
    const right = this.pop()
    const left = this.pop()
    if (left.type?.kind === "float") throw new Unavailable()
    const [a, b] =
      left.type === null ? [BigInt.asIntN(64, left.value), BigInt.asIntN(64, right.value)] : [left.value, right.value]
    const holds = [a === b, a >= b, a > b, a <= b, a < b, a !== b][code - 0x29]!
    this.push(holds ? 1n : 0n)
  }
}

/** A value as its type has it; one of word size is unsigned, a floating-point one its bits. */
function normalized(value: bigint, type: OperandType | null): bigint {
  if (type === null) return BigInt.asUintN(64, value)
  return type.kind === "signed" ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value)
}

function known<T>(value: T | null): T {
  if (value === null) throw new Unavailable()
  return value
}
