/** A world that is being debugged for a client: the debugger, the program's source, and what the client was told numbers of. */
import { Effect } from "effect"
import type { Debugger } from "../debugger.ts"
import { LineStepper } from "../line-stepper.ts"
import { ProgramView } from "../program-view.ts"
import type { SourceFrame, SourceView } from "../source-view.ts"
import { integerIn, refuse } from "./arguments.ts"
import { BreakpointTable } from "./breakpoint-table.ts"
import type { RequestRefused } from "./refusal.ts"
import { RegisterLists } from "./register-lists.ts"
import type { SourcePaths } from "./source.ts"
import { VariableStore } from "./variable-store.ts"

/** A frame that a client was told of. */
export interface KnownFrame {
  readonly hart: number
  readonly frame: SourceFrame
  /** All registers are those of the hart. */
  readonly isInnermost: boolean
}

/** A place in a hart's memory. */
export interface MemoryPlace {
  readonly hart: number
  readonly address: bigint
}

const ADDRESSES = 1n << 64n

export class Debuggee {
  readonly debug: Debugger
  readonly view: SourceView
  readonly stepper: LineStepper
  readonly breakpoints: BreakpointTable
  readonly registers: RegisterLists
  readonly variables = new VariableStore()
  readonly sources: SourcePaths
  private readonly frames = new Map<number, KnownFrame>()
  // Numbers are not used again, so that one from before means nothing.
  private nextFrame = 1

  constructor(debug: Debugger, sources: SourcePaths) {
    this.debug = debug
    this.sources = sources
    this.view = new ProgramView(debug)
    this.stepper = new LineStepper(debug, this.view)
    this.breakpoints = new BreakpointTable(debug)
    this.registers = new RegisterLists(debug.inspection, () => debug.symbols)
  }

  /** The machine is about to go elsewhere. */
  leave(): void {
    this.registers.remember()
  }

  /** The machine has come elsewhere: what the client was told of before is no more. */
  arrive(): void {
    this.variables.forget()
    this.frames.clear()
  }

  addFrame(frame: KnownFrame): number {
    this.frames.set(this.nextFrame, frame)
    return this.nextFrame++
  }

  /** The frame of a number that a client sent. */
  frame(id: number): Effect.Effect<KnownFrame, RequestRefused> {
    const known = this.frames.get(id)
    return known === undefined
      ? refuse(`There is no frame ${id} any more; ask for the stack trace where the machine stands now.`)
      : Effect.succeed(known)
  }

  /** The frame that a request's `frameId` means; the selected hart's innermost where it has none. */
  frameIn({ frameId }: { readonly frameId?: unknown }): Effect.Effect<KnownFrame, RequestRefused> {
    if (typeof frameId === "number") return this.frame(frameId)
    const hart = this.debug.selectedHart
    return Effect.succeed({ hart, frame: this.view.frames(hart, 1)[0]!, isInnermost: true })
  }

  /** The hart that a request's `threadId` means. */
  hartIn(args: unknown): Effect.Effect<number, RequestRefused> {
    const { harts } = this.debug.inspection
    return Effect.flatMap(integerIn(args, "threadId"), id =>
      id >= 1 && id <= harts
        ? Effect.succeed(id - 1)
        : refuse(`There is no thread ${id}; the harts of this machine are threads 1 to ${harts}.`),
    )
  }

  /** An address for the client; of another hart than the selected one with that. */
  reference({ hart, address }: MemoryPlace): string {
    const text = `0x${address.toString(16)}`
    return hart === this.debug.selectedHart ? text : `h${hart}:${text}`
  }

  /** What `reference` gave, or an address that a person wrote, and so many bytes on. */
  place(text: string, offset: number): Effect.Effect<MemoryPlace, RequestRefused> {
    const found = /^(?:h(\d{1,4}):)?(0[xX][\da-fA-F]{1,16}|\d{1,20})$/.exec(text.trim())
    const hart = found?.[1] === undefined ? this.debug.selectedHart : Number(found[1])
    if (found === null || hart >= this.debug.inspection.harts)
      return refuse(`"${text}" is no address; write it as 0x80000000.`)
    const address = BigInt(found[2]!) + BigInt(offset)
    return address < 0n || address >= ADDRESSES
      ? refuse(`${text} with offset ${offset} lies outside of 64 bits; choose another address.`)
      : Effect.succeed({ hart, address })
  }
}
