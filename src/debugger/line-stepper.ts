/**
 * Steps by lines of the source, forth and back, made of ways with stop points: going through a history costs what lies between two
 * places, however many calls, loops or interrupts that is.
 *
 * A step stops where a statement begins whose line is another than that of the statement before it in the same activation of the same
 * function. That is a matter of what the machine did, not of where one comes from: going back stops at the same places as going on. An
 * activation is told from others of the same function by the stack pointer of its caller, and in user mode by the address space.
 */
import { Effect } from "effect"
import { comparePositions, type Position } from "../events/index.ts"
import type { Going, Sought, TimelineError } from "../session/timeline/timeline.ts"
import { callIn, targetOf } from "./call-instruction.ts"
import type { Debugger, Stop, StopReason } from "./debugger.ts"
import { CallerUnknown } from "./errors.ts"
import type { SourceFunction, SourcePlace, SourceReturn, SourceView } from "./source-view.ts"
import type { Met } from "./stop-point.ts"
import { type Interrupted, interruptedAt } from "./trap-entry.ts"

/** Over calls, or into the functions that are called. */
export type StepKind = "over" | "into"

/** An activation of a function. */
interface Activation {
  readonly code: SourceFunction
  /** null where it is not known: then the hart has to be the same. */
  readonly cfa: bigint | null
  readonly hart: number
  readonly flow: string
}

/** Addresses to look out for on a way. */
interface Lookout {
  readonly addresses: readonly bigint[]
  /** Whether it is what is looked for, asked before the instruction at one of the addresses. */
  readonly accepts: (hart: number, pc: bigint) => boolean
  /** Stop points do not end the way. */
  readonly isBlind?: boolean
}

/** What was met in an activation. */
type Event =
  | { readonly kind: "statement"; readonly pc: bigint }
  /** The function was called. */
  | { readonly kind: "entered" }
  /** It is about to call a function that has lines. */
  | { readonly kind: "call"; readonly code: SourceFunction; readonly stack: bigint }

/** How a way ended: at what was looked for, or else. */
type Ride = { readonly kind: "there" } | { readonly kind: "else"; readonly stop: Stop }

const lineOf = ({ file, line }: Pick<SourcePlace, "file" | "line">): string => `${file}:${line}`

export class LineStepper {
  private readonly debug: Debugger
  private readonly view: SourceView

  constructor(debug: Debugger, view: SourceView) {
    this.debug = debug
    this.view = view
  }

  /** Goes on to the next line; where no line is known, by one instruction. */
  readonly next = Effect.fnUntraced(function* (this: LineStepper, kind: StepKind, going: Going = {}) {
    const awake = yield* this.toTurn(going)
    if (awake !== null) return awake
    const here = this.here()
    if (here === null) return yield* this.instruction(kind, going)
    const { place, activation } = here
    const { code } = activation
    const line = lineOf(place)
    const statements = new Set(
      code.statements.filter(address => {
        const there = this.view.place(address)
        return there !== null && lineOf(there) !== line && (kind === "into" || there.depth <= place.depth)
      }),
    )
    const calls = new Set(kind === "into" ? code.calls : [])
    // What is met at the place itself is not told of.
    const { selectedHart, inspection } = this.debug
    const call = kind === "into" ? this.callAt(selectedHart, inspection.pc(selectedHart)) : null
    if (call !== null) return yield* this.enter(call, going)
    const back = this.view.returnOf(activation.hart)
    const entered: { call: Extract<Event, { kind: "call" }> | null } = { call: null }
    const ride = yield* this.goOn(
      {
        addresses: [...statements, ...calls, ...(back === null ? [] : [back.address])],
        accepts: (hart, pc) => {
          if (this.isReturn(back, activation.flow, hart)) return true
          if (!this.isIn(activation, hart)) return false
          entered.call = calls.has(pc) ? this.callAt(hart, pc) : null
          return statements.has(pc) || entered.call !== null
        },
      },
      going,
    )
    if (ride.kind === "else") return ride.stop
    return entered.call === null ? this.stand({ kind: "step" }) : yield* this.enter(entered.call, going)
  })

  /** Goes on from a call to where the body of the function that is called begins. */
  private readonly enter = Effect.fnUntraced(function* (
    this: LineStepper,
    { code, stack }: Extract<Event, { kind: "call" }>,
    going: Going,
  ) {
    const flow = this.flowOf(this.debug.selectedHart)
    const accepts = (hart: number) => this.flowOf(hart) === flow && this.stackOf(hart) <= stack
    const ride = yield* this.goOn({ addresses: [code.body], accepts }, going)
    return ride.kind === "else" ? ride.stop : this.stand({ kind: "step" })
  })

  /** Why one cannot go on to the caller from here; null: one can. */
  get callerProblem(): CallerUnknown | null {
    const { inspection, selectedHart, symbols } = this.debug
    const pc = inspection.pc(selectedHart)
    const isInlined = (this.view.place(pc)?.depth ?? 0) > 0
    if (isInlined || interruptedAt(inspection, selectedHart) !== null || this.view.returnOf(selectedHart) !== null)
      return null
    return new CallerUnknown({ name: symbols.at(pc)?.symbol.name ?? `0x${pc.toString(16)}` })
  }

  /** Goes on until the function returns, or the one that was put into it is left. */
  readonly finish = Effect.fnUntraced(function* (this: LineStepper, going: Going = {}) {
    const { inspection, selectedHart } = this.debug
    const awake = yield* this.toTurn(going)
    if (awake !== null) return awake
    const interrupted = interruptedAt(inspection, selectedHart)
    if (interrupted !== null) return yield* this.toInterrupted(interrupted, going)
    const problem = this.callerProblem
    if (problem !== null) return yield* problem
    const pc = inspection.pc(selectedHart)
    const { depth } = this.view.place(pc) ?? { depth: 0 }
    const code = depth > 0 ? this.view.functionAt(pc) : null
    const activation = this.activationOf(code, selectedHart)
    const outer = new Set(code?.statements.filter(address => (this.view.place(address)?.depth ?? depth) < depth))
    const back = this.view.returnOf(activation.hart)
    const ride = yield* this.goOn(
      {
        addresses: [...outer, ...(back === null ? [] : [back.address])],
        accepts: (hart, at) =>
          this.isReturn(back, activation.flow, hart) || (outer.has(at) && this.isIn(activation, hart)),
      },
      going,
    )
    return ride.kind === "else" ? ride.stop : this.stand({ kind: "step" })
  })

  /** Goes on from a trap's handler to where what was interrupted goes on. */
  private readonly toInterrupted = Effect.fnUntraced(function* (
    this: LineStepper,
    { resumes, privilege }: Interrupted,
    going: Going,
  ) {
    const { selectedHart } = this.debug
    const [flow, stack] = [this.flowAt(selectedHart, privilege), this.stackOf(selectedHart)]
    const accepts = (hart: number) => this.flowOf(hart) === flow && this.stackOf(hart) === stack
    const ride = yield* this.goOn({ addresses: [resumes], accepts }, going)
    return ride.kind === "else" ? ride.stop : this.stand({ kind: "step" })
  })

  /** Goes on by one instruction; over a call to where it returns. */
  readonly instruction = Effect.fnUntraced(function* (this: LineStepper, kind: StepKind, going: Going = {}) {
    const { debug } = this
    const awake = yield* this.toTurn(going)
    if (awake !== null) return awake
    const hart = debug.selectedHart
    const next = kind === "over" ? this.behindCall(hart) : null
    if (next === null) return yield* debug.step(1, going)
    const [flow, stack] = [this.flowOf(hart), this.stackOf(hart)]
    const accepts = (other: number) => this.flowOf(other) === flow && this.stackOf(other) === stack
    const ride = yield* this.goOn({ addresses: [next], accepts }, going)
    return ride.kind === "else" ? ride.stop : this.stand({ kind: "step" })
  })

  /** Goes back to where this line began, and from there to the one before; where no line is known, by one instruction. */
  readonly previous = Effect.fnUntraced(function* (this: LineStepper, kind: StepKind, going: Going = {}) {
    const { debug } = this
    const here = this.here()
    if (here === null) return yield* debug.stepBack(1, going)
    const { place, activation } = here
    const isAtEntry = debug.inspection.pc(debug.selectedHart) === activation.code.entry
    const depth = kind === "into" ? null : place.depth
    return yield* this.returning(
      isAtEntry ? this.beforeEntry(activation.code.entry, going) : this.previousIn(activation, kind, depth, going),
    )
  })

  /** Goes back to the call of the function it is in, which it stands before then. */
  readonly start = Effect.fnUntraced(function* (this: LineStepper, going: Going = {}) {
    const { debug, view } = this
    const pc = debug.inspection.pc(debug.selectedHart)
    const code = view.functionAt(pc)
    const entry = code?.entry ?? debug.symbols.at(pc)?.symbol.address
    if (entry === undefined) return yield* new CallerUnknown({ name: `0x${pc.toString(16)}` })
    const known = this.activationOf(code, debug.selectedHart)
    const activation = code === null ? { ...known, cfa: null } : known
    const toEntry = Effect.fnUntraced(function* (this: LineStepper) {
      if (pc !== entry) {
        const accepts = (hart: number) => this.isEntered(activation, hart)
        const ride = yield* this.goBack({ addresses: [entry], accepts }, going)
        if (ride.kind === "else") return ride.stop
      }
      return this.isInterrupted(entry) ? this.stand({ kind: "step" }) : yield* debug.stepBack(1, going)
    })
    return yield* this.returning(toEntry.call(this))
  })

  /**
   * Goes back in an activation to where the line began that was executed last before here; `depth`: in functions that were put into
   * others no deeper than so.
   */
  private readonly previousIn: (
    this: LineStepper,
    activation: Activation,
    kind: StepKind,
    depth: number | null,
    going: Going,
  ) => Effect.Effect<Stop, TimelineError> = Effect.fnUntraced(function* (
    this: LineStepper,
    activation: Activation,
    kind: StepKind,
    depth: number | null,
    going: Going,
  ) {
    const { debug } = this
    const { position: from, selectedHart: hart } = debug
    // What lies near is found quickly once there are checkpoints near.
    const before = yield* debug.stepBack(1, going)
    if (before.reason.kind !== "step") return before
    if ((yield* this.backTo(from, hart, going)) === "cancelled") return this.stand({ kind: "cancelled" })
    const lines = this.linesOf(activation.code, depth)
    const last = yield* this.lastEvent(activation, kind, [...lines.keys()], going)
    if (last.kind === "else") return last.stop
    if (last.kind === "entered") return yield* this.beforeEntry(activation.code.entry, going)
    if (last.kind === "call") return yield* this.lastLineOf(last, activation, kind, depth, from, going)
    const { entry } = activation.code
    if (last.pc === entry) return this.stand({ kind: "step" })
    // Where its line began: behind the last statement of another line.
    const line = lines.get(last.pc)!
    const isOfLine = ([, other]: readonly [bigint, string]) => other === line
    const others = [...lines].filter(each => !isOfLine(each)).map(([address]) => address)
    const same = new Set([...lines].filter(isOfLine).map(([address]) => address))
    const { position: statement, selectedHart: statementHart } = debug
    let other = yield* this.lastEvent(activation, "over", others, going)
    if (other.kind === "else" && other.stop.reason.kind === "met") {
      // A stop point. It is on the way if the line had begun before it.
      const { stop } = other
      other = yield* this.lastEvent(activation, "over", [...lines.keys()], going, true)
      if (other.kind === "statement" && same.has(other.pc)) {
        const back = yield* this.backTo(stop.position, stop.hart, going)
        return this.stand(back === "cancelled" ? { kind: "cancelled" } : stop.reason)
      }
    }
    if (other.kind === "else" && other.stop.reason.kind !== "begin") return other.stop
    const isAtBegin = other.kind === "entered" && same.has(entry)
    if (!isAtBegin) {
      const first = yield* this.goOn(
        { addresses: [...same], accepts: (some, pc) => same.has(pc) && this.isIn(activation, some), isBlind: true },
        going,
        statement,
      )
      if (first.kind === "else" && first.stop.reason.kind !== "end") return first.stop
      // Where none is met before it, that statement is the first.
      if (first.kind === "else") debug.selectedHart = statementHart
    }
    const { position: begin, selectedHart: beginHart } = debug
    if (kind === "over" || comparePositions(begin, statement) === 0) return this.stand({ kind: "step" })
    // The line went on after calls: the last of them is what is before.
    if ((yield* this.backTo(statement, statementHart, going)) === "cancelled") return this.stand({ kind: "cancelled" })
    const call = yield* this.lastEvent(activation, "into", [], going, true)
    if (call.kind === "call" && comparePositions(debug.position, begin) >= 0)
      return yield* this.lastLineOf(call, activation, kind, depth, from, going)
    const back = yield* this.backTo(begin, beginHart, going)
    return this.stand({ kind: back === "cancelled" ? "cancelled" : "step" })
  })

  /** Statements of a function with their lines. */
  private linesOf(code: SourceFunction, depth: number | null): ReadonlyMap<bigint, string> {
    const lines = new Map<bigint, string>()
    for (const address of code.statements) {
      const place = this.view.place(address)
      if (place !== null && (depth === null || place.depth <= depth)) lines.set(address, lineOf(place))
    }
    return lines
  }

  /** The last line of what was called: it lies between the call and `from`. */
  private readonly lastLineOf = Effect.fnUntraced(function* (
    this: LineStepper,
    { code, stack }: Extract<Event, { kind: "call" }>,
    activation: Activation,
    kind: StepKind,
    depth: number | null,
    from: Position,
    going: Going,
  ) {
    const { debug } = this
    const { position: call, selectedHart: hart } = debug
    if ((yield* this.backTo(from, activation.hart, going)) === "cancelled") return this.stand({ kind: "cancelled" })
    const inner = { ...activation, code, cfa: stack }
    const last = yield* this.lastEvent(inner, "over", [...this.linesOf(code, null).keys()], going)
    if (last.kind === "else" && last.stop.reason.kind !== "begin") return last.stop
    if (last.kind === "statement" && comparePositions(debug.position, call) > 0) {
      if ((yield* this.backTo(from, activation.hart, going)) === "cancelled") return this.stand({ kind: "cancelled" })
      return yield* this.previousIn(inner, "over", null, going)
    }
    // It had no line to stop at.
    if ((yield* this.backTo(call, hart, going)) === "cancelled") return this.stand({ kind: "cancelled" })
    return yield* this.previousIn(activation, kind, depth, going)
  })

  /** Goes back to the last of what happened in an activation. */
  private readonly lastEvent = Effect.fnUntraced(function* (
    this: LineStepper,
    activation: Activation,
    kind: StepKind,
    statements: readonly bigint[],
    going: Going,
    isBlind = false,
  ) {
    const { entry, calls } = activation.code
    const wanted = new Set(statements)
    const called = new Set(kind === "into" ? calls : [])
    const eventAt = (hart: number, pc: bigint): Event | null => {
      const isEntry = pc === entry && this.isEntered(activation, hart)
      if (!isEntry && !this.isIn(activation, hart)) return null
      if (wanted.has(pc)) return { kind: "statement", pc }
      return (called.has(pc) ? this.callAt(hart, pc) : null) ?? (isEntry ? { kind: "entered" } : null)
    }
    const last: { event: Event | null } = { event: null }
    const ride = yield* this.goBack(
      {
        addresses: [...wanted, ...called, entry],
        accepts: (hart, pc) => {
          const event = eventAt(hart, pc)
          if (event !== null) last.event = event
          return event !== null
        },
        isBlind,
      },
      going,
    )
    return ride.kind === "else" ? ride : last.event!
  })

  /** Goes to where it was before, with the hart that was selected there. */
  private readonly backTo = Effect.fnUntraced(function* (
    this: LineStepper,
    position: Position,
    hart: number,
    going: Going,
  ) {
    const { reason } = yield* this.debug.goTo(position, going)
    if (reason.kind === "cancelled") return "cancelled" as const
    this.debug.selectedHart = hart
    return "there" as const
  })

  /** From a function's first instruction back to where the line that calls it began. */
  private readonly beforeEntry: (this: LineStepper, entry: bigint, going: Going) => Effect.Effect<Stop, TimelineError> =
    Effect.fnUntraced(function* (this: LineStepper, entry: bigint, going: Going) {
      const { debug, view } = this
      const hart = debug.selectedHart
      if (this.isInterrupted(entry)) return this.stand({ kind: "step" })
      if (interruptedAt(debug.inspection, hart) !== null) return yield* debug.stepBack(1, going)
      const caller = view.frames(hart, 2).filter(({ isInlined }) => !isInlined)[1]
      const code = caller ? view.functionAt(caller.pc - 1n) : null
      if (!caller || code === null) return yield* debug.stepBack(1, going)
      const activation = { code, cfa: caller.cfa, hart, flow: this.flowOf(hart) }
      return yield* this.previousIn(activation, "over", null, going)
    })

  /** Where a hart stands in the source; null where that is not known. */
  private here(): { readonly place: SourcePlace; readonly activation: Activation & { code: SourceFunction } } | null {
    const { inspection, selectedHart } = this.debug
    const pc = inspection.pc(selectedHart)
    const place = this.view.place(pc)
    const code = this.view.functionAt(pc)
    return place && code && { place, activation: this.activationOf(code, selectedHart) }
  }

  private activationOf<C extends SourceFunction | null>(code: C, hart: number): Omit<Activation, "code"> & { code: C } {
    return { code, cfa: this.view.cfa(hart), hart, flow: this.flowOf(hart) }
  }

  /** Whose instructions a hart executes: in user mode those of an address space. */
  private flowOf(hart: number): string {
    return this.flowAt(hart, this.debug.inspection.register(hart, "privilege")!)
  }

  private flowAt(hart: number, privilege: bigint): string {
    const { inspection } = this.debug
    return privilege === 0n ? `user ${inspection.register(hart, "satp")! & SATP_PPN}` : `mode ${privilege}`
  }

  private stackOf(hart: number): bigint {
    return this.debug.inspection.register(hart, "sp")!
  }

  private isIn({ cfa, hart, flow }: Omit<Activation, "code">, other: number): boolean {
    if (this.flowOf(other) !== flow) return false
    return cfa === null ? other === hart : this.view.cfa(other) === cfa
  }

  /** Whether a hart at a function's first instruction begins this activation. */
  private isEntered({ cfa, hart, flow }: Omit<Activation, "code">, other: number): boolean {
    return this.flowOf(other) === flow && (cfa === null ? other === hart : this.stackOf(other) === cfa)
  }

  /** Whether an interrupt, and no call, led to a function's first instruction: it is taken where the machine stands. */
  private isInterrupted(entry: bigint): boolean {
    return this.debug.inspection.pc(this.debug.selectedHart) !== entry
  }

  /** Whether a hart has come back to where a function returns to. */
  private isReturn(back: SourceReturn | null, flow: string, hart: number): boolean {
    if (back === null || this.debug.inspection.pc(hart) !== back.address || this.flowOf(hart) !== flow) return false
    const stack = this.stackOf(hart)
    return back.isCertain ? stack === back.stack : stack >= back.stack
  }

  /** The function with lines that the call at an address goes to; null: there is none. */
  private callAt(hart: number, address: bigint): Extract<Event, { kind: "call" }> | null {
    const { inspection } = this.debug
    const instruction = inspection.instruction(hart, address)
    const call = instruction && callIn(instruction.word)
    if (!call) return null
    const target = targetOf(inspection, hart, address, call)
    const code = this.view.functionAt(target)
    return code?.entry === target ? { kind: "call", code, stack: this.stackOf(hart) } : null
  }

  private behindCall(hart: number): bigint | null {
    const { inspection } = this.debug
    const instruction = inspection.instruction(hart, inspection.pc(hart))
    if (instruction === null) return null
    const isCall = callIn(instruction.word) !== null || instruction.word === ECALL
    return isCall ? instruction.address + BigInt(instruction.bytes) : null
  }

  /** Brings the machine to the selected hart's turn; null when it is. */
  private readonly toTurn = Effect.fnUntraced(function* (this: LineStepper, going: Going) {
    const { debug } = this
    if (debug.inspection.runningHart === debug.selectedHart) return null
    const stop = yield* debug.step(0, going)
    return stop.reason.kind === "step" ? null : stop
  })

  private readonly goOn = Effect.fnUntraced(function* (
    this: LineStepper,
    lookout: Lookout,
    going: Going,
    to?: Position,
  ) {
    const { debug } = this
    const { sought, ends } = this.seek(lookout, null)
    const journey = yield* debug.timeline.goOn(sought, going, to)
    if (journey.kind !== "found") return { kind: "else", stop: this.stand({ kind: journey.kind }) } satisfies Ride
    debug.selectedHart = journey.found.sighting?.hart ?? debug.inspection.runningHart
    return this.ended(ends(), journey.found)
  })

  private readonly goBack = Effect.fnUntraced(function* (this: LineStepper, lookout: Lookout, going: Going) {
    const { debug } = this
    const { sought, ends } = this.seek(lookout, debug.position)
    const journey = yield* debug.timeline.goBack(sought, going)
    if (journey.kind !== "found") return { kind: "else", stop: this.stand({ kind: journey.kind }) } satisfies Ride
    debug.selectedHart = journey.found.sighting?.hart ?? debug.inspection.runningHart
    return this.ended(ends(), journey.found)
  })

  private ended(met: readonly Met[], found: Extract<StopReason, { kind: "met" }>["found"]): Ride {
    return met.length === 0 ? { kind: "there" } : { kind: "else", stop: this.stand({ kind: "met", met, found }) }
  }

  /** Stop points and what is looked for, and which stop points ended the way; `before`: only what lies before a position counts. */
  private seek(lookout: Lookout, before: Position | null): { sought: Sought; ends: () => readonly Met[] } {
    const { debug } = this
    const points = lookout.isBlind ? [] : debug.stopPoints.filter(({ isEnabled }) => isEnabled)
    const { sought, watch } = debug.seek(points)
    const { observation } = sought
    const looked = new Set(lookout.addresses)
    let met: readonly Met[] = []
    return {
      ends: () => met,
      sought: {
        ...sought,
        observation: { ...observation, breakpoints: [...new Set([...observation.breakpoints, ...looked])] },
        accepts: (sighting, machine) => {
          if (sighting === null) return false
          if (before !== null && comparePositions({ ...machine.position, machine: 0 }, before) > 0) return false
          const { hart } = sighting
          const pc = debug.inspection.pc(hart)
          const isLooked = sighting.kind === "breakpoint" && looked.has(pc) && lookout.accepts(hart, pc)
          const isMet = watch.accepts(sighting)
          if (isLooked || isMet) met = watch.met
          return isLooked || isMet
        },
      },
    }
  }

  /** Where a way of several parts is cancelled in between, one stands where it began. */
  private returning<E>(way: Effect.Effect<Stop, E>): Effect.Effect<Stop, E | TimelineError> {
    const { debug } = this
    const { position, selectedHart } = debug
    return Effect.flatMap(way, stop => {
      if (stop.reason.kind !== "cancelled" || comparePositions(debug.position, position) === 0)
        return Effect.succeed(stop)
      return Effect.map(debug.goTo(position), () => {
        debug.selectedHart = selectedHart
        return this.stand({ kind: "cancelled" })
      })
    })
  }

  private stand(reason: StopReason): Stop {
    const { debug } = this
    debug.lastStop = { reason, hart: debug.selectedHart, position: debug.position }
    return debug.lastStop
  }
}

const SATP_PPN = (1n << 44n) - 1n
const ECALL = 0x73
