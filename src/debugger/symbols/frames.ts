/**
 * Stack traces: from a call to its caller by call frame information, and where there is none by frame pointers.
 *
 * Specification: DWARF 5, section 6.4.3; RISC-V psABI, sections "Register Convention" and "Frame Pointer Convention": the return
 * address lies 8 bytes, the caller's frame pointer 16 bytes below where s0 points to.
 */
import type { CallFrameTable, FrameRow } from "./call-frame-table.ts"
import { type ExpressionContext, evaluateNumber } from "./expression.ts"
import { type FrameState, readNumber } from "./frame-state.ts"

/** The program whose code lies at an address of memory. */
export interface LoadedProgram {
  readonly frames: CallFrameTable
  /** How far from the addresses in its file it is loaded. */
  readonly bias: bigint
}

/** A program that has stopped. */
export interface StoppedState extends Pick<FrameState, "pc" | "register" | "memory"> {
  /** The program at an address, or null. */
  programAt(address: bigint): LoadedProgram | null
  /** Where the function at an address begins; null if it is not known. */
  functionStart(address: bigint): bigint | null
}

const RA = 1
const SP = 2
const GP = 3
const TP = 4
const S0 = 8

/** sp, gp, tp, s0 to s11 and fs0 to fs11: after a call they are what they were before it. */
const isKept = (register: number): boolean =>
  (register >= SP && register <= TP) ||
  [S0, 9, 40, 41].includes(register) ||
  (register >= 18 && register <= 27) ||
  (register >= 50 && register <= 59)

/** How far above s0 the caller's frame may lie, in bytes. */
const MAX_FRAME = 1n << 24n

/**
 * The calls a stopped program stands in, the innermost first, `limit` at most. It ends where a caller cannot be found.
 * @throws DebugInfoDamaged where call frame information contradicts itself.
 */
export function stackTrace(state: StoppedState, limit = 100): FrameState[] {
  const frames: FrameState[] = []
  let frame: FrameState | null = new Frame(state, state.pc, null)
  while (frame !== null && frames.length < limit) {
    frames.push(frame)
    frame = frame.caller()
  }
  return frames
}

/** What a frame says of its caller: where that goes on, and registers. */
interface CallerState {
  readonly pc: bigint | null
  readonly cfa: bigint | null
  /** A register of the caller: null if it is not known any more, undefined if it is that of this frame. */
  register(number: number): bigint | null | undefined
}

class Frame implements FrameState {
  readonly pc: bigint
  readonly codeAddress: bigint
  readonly bias: bigint
  private readonly state: StoppedState
  /** The frame this one is the caller of. */
  private readonly inner: Frame | null
  private readonly row: FrameRow | null
  private found: CallerState | null = null

  constructor(state: StoppedState, pc: bigint, inner: Frame | null) {
    this.state = state
    this.pc = pc
    this.inner = inner
    // A call is the instruction before the address returned to, and may be the last one of its function.
    this.codeAddress = inner === null || inner.row?.isSignalFrame === true ? pc : pc - 1n
    const program = state.programAt(this.codeAddress)
    this.bias = program?.bias ?? 0n
    this.row = program?.frames.rowAt(this.codeAddress - this.bias) ?? null
  }

  register(number: number): bigint | null {
    if (number === 0) return 0n
    for (let frame: Frame = this; frame.inner !== null; frame = frame.inner) {
      const value = frame.inner.callerState.register(number)
      if (value !== undefined) return value
    }
    return this.state.register(number)
  }

  memory(address: bigint, length: number): Uint8Array | null {
    return this.state.memory(address, length)
  }

  cfa(): bigint | null {
    return this.callerState.cfa
  }

  /** Null also where the stack does not go on upwards: so a trace has an end. */
  caller(): FrameState | null {
    const { pc, cfa } = this.callerState
    if (pc === null || pc === 0n || cfa === null) return null
    const below = this.inner?.cfa() ?? null
    if (below !== null && cfa <= below && this.inner?.row?.isSignalFrame !== true) return null
    return new Frame(this.state, pc, this)
  }

  private get callerState(): CallerState {
    this.found ??= this.row === null ? this.byFramePointer() : this.byTable(this.row)
    return this.found
  }

  private byTable({ cfa: rule, rules, returnRegister, isSignalFrame }: FrameRow): CallerState {
    const cfa =
      rule.kind === "expression"
        ? evaluateNumber(rule.expression, this.context)
        : sum(this.register(rule.number), rule.offset)
    const register = (number: number): bigint | null | undefined => {
      const rule = rules.get(number)
      switch (rule?.kind) {
        case undefined:
          return number === SP ? cfa : isKept(number) || isSignalFrame ? undefined : null
        case "undefined":
          return null
        case "same":
          return undefined
        case "register":
          return this.register(rule.number)
        case "saved":
          return cfa === null ? null : readNumber(this, cfa + BigInt(rule.offset), 8)
        case "value":
          return sum(cfa, rule.offset)
        case "saved-at": {
          const address = cfa === null ? null : evaluateNumber(rule.expression, this.context, [cfa])
          return address === null ? null : readNumber(this, address, 8)
        }
        case "value-of":
          return cfa === null ? null : evaluateNumber(rule.expression, this.context, [cfa])
      }
    }
    // A function without calls leaves the return address in its register, which is the caller's no more.
    const pc = rules.has(returnRegister) ? register(returnRegister) : this.register(returnRegister)
    return { pc: pc === undefined ? this.register(returnRegister) : pc, cfa, register }
  }

  private get context(): ExpressionContext {
    return {
      unit: null,
      bias: this.bias,
      register: number => this.register(number),
      memory: (address, length) => this.memory(address, length),
      cfa: () => null,
      frameBase: () => null,
      entryValue: () => null,
    }
  }

  private byFramePointer(): CallerState {
    const s0 = this.register(S0)
    const state = (pc: bigint | null, cfa: bigint | null, fp: bigint | null, isFramed: boolean): CallerState => ({
      pc,
      cfa,
      register: number => {
        if (number === SP) return cfa
        if (number === S0) return fp
        // A function with a frame may have put other registers into it, where nobody knows.
        return number === GP || number === TP || (isKept(number) && !isFramed) ? undefined : null
      },
    })
    const above = s0 === null ? null : readNumber(this, s0 - 8n, 8)
    const below = s0 === null ? null : readNumber(this, s0 - 16n, 8)
    // A function without calls saves s0 only, and that in the upper place.
    const isSavedFp = s0 !== null && above !== null && above > s0 && above < s0 + MAX_FRAME && (above & 7n) === 0n
    const ra = this.inner === null ? this.register(RA) : null
    if (ra !== null && (isSavedFp || this.isReturnAddressLive(ra, above)))
      return isSavedFp ? state(ra, s0, above, true) : state(ra, this.register(SP), s0, false)
    return state(above, s0, below, true)
  }

  /**
   * True if the innermost function has not saved its return address: then the register holds what the frame does not, and leads
   * out of the function, which after a call it does not. (It is wrong only while a function that called itself makes its frame.)
   */
  private isReturnAddressLive(ra: bigint, saved: bigint | null): boolean {
    const start = this.state.functionStart(this.pc)
    if (start === this.pc || this.memory(this.pc, 2) === null) return true
    return saved !== ra && start !== null && this.state.functionStart(ra - 1n) !== start
  }
}

const sum = (base: bigint | null, offset: number): bigint | null =>
  base === null ? null : BigInt.asUintN(64, base + BigInt(offset))
