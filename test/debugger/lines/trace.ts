/**
 * A history of one hart, instruction by instruction from its beginning, and what steps by lines have to come to: read off the whole of
 * it, with the lines that objdump finds, and with activations that begin with calls and end with returns.
 */
import { execFileSync } from "node:child_process"
import { Effect } from "effect"
import { callIn } from "../../../src/debugger/call-instruction.ts"
import type { World } from "../../../src/events/index.ts"
import { machineOf } from "../../../src/session/build-machine.ts"

/** An instruction that was executed, as it was before. */
interface Traced {
  readonly pc: bigint
  /** Which activation of a function it belongs to. */
  readonly activation: Activation
}

interface Activation {
  readonly caller: Activation | null
  /** Instructions executed before the call. */
  readonly call: number
  /** The address it returns to. */
  readonly back: bigint
}

interface Open {
  readonly activation: Activation
  /** The stack pointer at the call; null: it was an interrupt. */
  readonly stack: bigint | null
}

const MRET = 0x30200073

/** What was executed, by the number of instructions before; a history without inputs. */
const traceOf = (world: World) =>
  Effect.gen(function* () {
    const machine = yield* machineOf(world)
    const { core } = machine
    const trace: Traced[] = []
    const open: Open[] = [{ activation: { caller: null, call: -1, back: -1n }, stack: null }]
    for (;;) {
      const stack = core.getBig(0, "x", 2)
      let pc = core.getBig(0, "pc")
      let top = open.at(-1)!
      if (pc === top.activation.back && top.stack === stack) {
        open.pop()
        top = open.at(-1)!
      }
      const executed = machine.executed
      let word = core.nextInstruction(0)!
      const { kind } = machine.run(1)
      if (machine.takeTrace().interrupts.length > 0) {
        // What was executed is the handler's first instruction.
        open.push({ activation: { caller: null, call: executed, back: pc }, stack: null })
        top = open.at(-1)!
        pc = core.getBig(0, "mtvec")
        word = 0
      }
      if (machine.executed > executed) {
        trace[executed] = { pc, activation: top.activation }
        const call = callIn(word)
        if (call !== null)
          open.push({ activation: { caller: top.activation, call: executed, back: pc + BigInt(call.bytes) }, stack })
        else if (word === MRET) open.pop()
      }
      if (kind === "off" || kind === "idle") return trace
    }
  })

interface Line {
  readonly line: number
  readonly isStatement: boolean
}

/** Lines by address, as objdump prints them: of several for one address the last statement. */
const linesOf = (program: string): ReadonlyMap<bigint, Line> => {
  const text = execFileSync("riscv64-linux-gnu-objdump", ["--dwarf=decodedline", program], { encoding: "utf8" })
  const lines = new Map<bigint, Line>()
  for (const [, line, address, statement] of text.matchAll(/^\S+\s+(\d+|-)\s+(0x[\da-f]+)(?:\s+\d+)?(\s+x)?/gm)) {
    const isStatement = statement !== undefined
    if (!isStatement && lines.get(BigInt(address!))?.isStatement) continue
    lines.set(BigInt(address!), { line: line === "-" ? 0 : Number(line), isStatement })
  }
  return lines
}

/** All positions are numbers of instructions executed before. */
export class Walk {
  private readonly trace: readonly Traced[]
  private readonly rows: readonly (readonly [bigint, Line])[]
  private readonly lines: ReadonlyMap<bigint, Line>
  /** First instructions of functions, and where their bodies begin. */
  private readonly bodies: ReadonlyMap<bigint, bigint>

  constructor(trace: readonly Traced[], program: string, bodies: ReadonlyMap<bigint, bigint>) {
    this.trace = trace
    this.lines = linesOf(program)
    this.rows = [...this.lines].sort(([a], [b]) => Number(a - b))
    this.bodies = bodies
  }

  get length(): number {
    return this.trace.length
  }

  pcAt(position: number): bigint {
    return this.trace[position]!.pc
  }

  /** Of the instruction there; 0: it has none. */
  lineAt(position: number): number {
    const { pc } = this.trace[position]!
    return this.rows.findLast(([address]) => address <= pc)?.[1].line ?? 0
  }

  /** Whether an instruction sets up a function's frame. */
  private isPrologue(pc: bigint): boolean {
    return [...this.bodies].some(([entry, body]) => pc >= entry && pc < body)
  }

  private isStatement(position: number): boolean {
    const { pc } = this.trace[position]!
    return this.lines.get(pc)?.isStatement === true && !this.isPrologue(pc)
  }

  private hasLine(position: number): boolean {
    return position < this.length && this.lineAt(position) > 0
  }

  /** Where the next line begins, or the function has returned; null: neither happens. */
  next(from: number, kind: "over" | "into"): number | null {
    const { activation } = this.trace[from]!
    const line = this.lineAt(from)
    let isCallTaken = false
    for (let at = from; at < this.length; at++) {
      const here = this.trace[at]!
      if (at > from && here.activation === activation.caller && here.pc === activation.back) return at
      if (isCallTaken && here.activation !== activation) {
        if (this.bodies.get(this.trace[here.activation.call + 1]!.pc) === here.pc) return at
        continue
      }
      if (here.activation !== activation) continue
      if (at > from && this.isStatement(at) && this.lineAt(at) !== line) return at
      const callee = this.trace[at + 1]
      isCallTaken = kind === "into" && callee?.activation.call === at && this.bodies.has(callee.pc)
    }
    return null
  }

  /** Where the function has returned to; null: it never does. */
  finish(from: number): number | null {
    const { activation } = this.trace[from]!
    const at = this.trace.findIndex(
      (here, order) => order > from && here.activation === activation.caller && here.pc === activation.back,
    )
    return at < 0 ? null : at
  }

  /** The call of the function. */
  start(from: number): number {
    return this.trace[from]!.activation.call
  }

  /** Where lines began in an activation before a position, in order. */
  private began(activation: Activation, before: number): readonly number[] {
    const found: number[] = []
    let line: number | null = null
    for (let at = activation.call + 1; at < before; at++) {
      if (this.trace[at]!.activation !== activation || !this.isStatement(at)) continue
      if (this.lineAt(at) !== line) found.push(at)
      line = this.lineAt(at)
    }
    return found
  }

  /** Where the line before began; null: there is none. */
  previous(from: number, kind: "over" | "into"): number | null {
    const { activation } = this.trace[from]!
    const last = this.began(activation, from).at(-1)
    if (kind === "into") {
      // The last function called after that line began, or in it.
      let inner: number | undefined
      for (let at = last ?? activation.call + 1; at < from; at++) {
        const callee = this.trace[at + 1]
        if (this.trace[at]!.activation !== activation || callee?.activation.call !== at) continue
        if (this.bodies.has(callee.pc) && at + 1 < from) inner = this.began(callee.activation, from).at(-1)
      }
      if (inner !== undefined) return inner
    }
    if (last !== undefined) return last
    if (activation.caller === null || !this.hasLine(activation.call)) return null
    return this.began(activation.caller, activation.call + 1).at(-1) ?? null
  }
}

export const walkOf = (world: World, program: string, bodies: ReadonlyMap<bigint, bigint>) =>
  Effect.map(traceOf(world), trace => new Walk(trace, program, bodies))
