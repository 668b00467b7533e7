/** Requests that look at the machine where it stands. */
import { Buffer } from "node:buffer"
import type { DebugProtocol } from "@vscode/debugprotocol"
import { Effect } from "effect"
import { formatAddress } from "../symbols/symbol-source.ts"
import { integerIn, refuse, textIn } from "./arguments.ts"
import type { Debuggee } from "./debuggee.ts"
import { listing } from "./listing.ts"
import { exceptionOf } from "./stop-event.ts"
import { listOfAll, type ShownVariable } from "./variable-store.ts"

type Args = Readonly<Record<string, unknown>>

/** Frames looked for when a client wants all. */
const FRAMES_MAX = 128
/** The most that is read or disassembled in one request. */
const MEMORY_BYTES_MAX = 1 << 20
const INSTRUCTIONS_MAX = 8192

/** Harts as threads; `stands`: what they are doing can be looked at. */
export const threads = (debuggee: Debuggee, stands: boolean): { threads: DebugProtocol.Thread[] } => {
  const { debug } = debuggee
  const nameOf = (hart: number): string => {
    const task = stands ? (debug.linux?.linux?.currentTask(hart) ?? null) : null
    return `hart ${hart}${task === null ? "" : `: ${task.comm} (${task.pid})`}`
  }
  return {
    threads: Array.from({ length: debug.inspection.harts }, (_, hart) => ({ id: hart + 1, name: nameOf(hart) })),
  }
}

export const stackTrace = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args, lineBase: number) {
  const hart = yield* debuggee.hartIn(args)
  const start = Math.max(0, yield* integerIn(args, "startFrame", 0))
  const levels = yield* integerIn(args, "levels", 0)
  const limit = levels > 0 ? Math.min(start + levels, FRAMES_MAX) : FRAMES_MAX
  const found = debuggee.view.frames(hart, limit)
  const isAll = levels <= 0 || found.length < start + levels
  const innermost = found.findIndex(({ isInlined }) => !isInlined)
  const frames = found.map((frame, level): DebugProtocol.StackFrame => {
    const { name, pc, place } = frame
    return {
      id: debuggee.addFrame({ hart, frame, isInnermost: level <= innermost }),
      name: `${name ?? formatAddress(debuggee.debug.symbols, pc)}${frame.isInlined ? " (inlined)" : ""}`,
      line: place === null ? 0 : place.line + lineBase - 1,
      column: place === null ? 0 : place.column + (place.column > 0 ? lineBase - 1 : 0),
      ...(place === null ? { presentationHint: "subtle" } : { source: debuggee.sources.sourceOf(place.file) }),
      instructionPointerReference: debuggee.reference({ hart, address: pc }),
    }
  })
  return {
    stackFrames: frames.slice(start, levels > 0 ? start + levels : undefined),
    ...(isAll ? { totalFrames: frames.length } : {}),
  }
})

export const scopes = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const { hart, frame, isInnermost } = yield* debuggee.frame(yield* integerIn(args, "frameId"))
  const { variables, registers } = debuggee
  const scope = (
    name: string,
    list: () => readonly ShownVariable[],
    more: Partial<DebugProtocol.Scope>,
  ): DebugProtocol.Scope => ({ name, variablesReference: variables.add(listOfAll(list)), expensive: false, ...more })
  const locals = frame.locals()
  const globals = frame.globals()
  const shown = (values: typeof locals) => () => values.map(value => variables.shown(value))
  return {
    scopes: [
      ...(locals.length > 0 ? [scope("Locals", shown(locals), { presentationHint: "locals" })] : []),
      ...(globals.length > 0 ? [scope("Globals", shown(globals), { expensive: true })] : []),
      scope("Registers", () => registers.integers(hart, frame, isInnermost), { presentationHint: "registers" }),
      ...(isInnermost
        ? [
            scope("Floating-point registers", () => registers.floats(hart), { expensive: true }),
            scope("CSRs", () => registers.csrs(hart), { expensive: true }),
          ]
        : []),
    ],
  }
})

export const variables = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const reference = yield* integerIn(args, "variablesReference")
  const [start, count] = [yield* integerIn(args, "start", 0), yield* integerIn(args, "count", 0)]
  const list = debuggee.variables.read(reference, Math.max(0, start), count)
  if (list === null)
    return yield* refuse(`There is no list of variables ${reference} any more; ask for the scopes of a frame again.`)
  return { variables: list.map(({ variable }) => variable) }
})

export const readMemory = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const count = yield* integerIn(args, "count")
  if (count < 0 || count > MEMORY_BYTES_MAX)
    return yield* refuse(`${count} bytes cannot be read at one time; ask for at most ${MEMORY_BYTES_MAX}.`)
  const reference = yield* textIn(args, "memoryReference")
  const { hart, address } = yield* debuggee.place(reference, yield* integerIn(args, "offset", 0))
  const bytes = debuggee.debug.inspection.readSome(hart, address, count)
  return {
    address: `0x${address.toString(16)}`,
    data: Buffer.from(bytes).toString("base64"),
    ...(bytes.length < count ? { unreadableBytes: count - bytes.length } : {}),
  }
})

export const disassemble = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args, lineBase: number) {
  const count = yield* integerIn(args, "instructionCount")
  const from = yield* integerIn(args, "instructionOffset", 0)
  if (count < 0 || count > INSTRUCTIONS_MAX || Math.abs(from) > INSTRUCTIONS_MAX)
    return yield* refuse(`${count} instructions are too many at one time; ask for at most ${INSTRUCTIONS_MAX}.`)
  const reference = yield* textIn(args, "memoryReference")
  const { hart, address } = yield* debuggee.place(reference, yield* integerIn(args, "offset", 0))
  // Instructions begin at even addresses.
  const list = listing(debuggee, { hart, address: address & ~1n }, from, count)
  return {
    instructions: list.map(each => (each.line === undefined ? each : { ...each, line: each.line + lineBase - 1 })),
  }
})

export const exceptionInfo = Effect.fnUntraced(function* (debuggee: Debuggee) {
  const exception = exceptionOf(debuggee)
  if (exception === null)
    return yield* refuse("The machine does not stand at an exception; go on to one that a filter is set for.")
  return { exceptionId: exception.id, description: exception.text, breakMode: "always" }
})

export const loadedSources = ({ view, sources }: Debuggee) => ({
  sources: view.files.map(file => sources.sourceOf(file)),
})
