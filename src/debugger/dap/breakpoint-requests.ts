/** Requests about breakpoints. What cannot be set is told with each breakpoint; the others are set. */
import type { DebugProtocol } from "@vscode/debugprotocol"
import { Effect } from "effect"
import { floatRegisters, integerRegisters } from "../../riscv/register.ts"
import { parseAddress } from "../address-text.ts"
import type { NewStopPoint } from "../debugger.ts"
import { conditionOf } from "../guest-expression.ts"
import type { Inspection } from "../inspection.ts"
import { valueNames } from "../predicate/words.ts"
import { expressionOf, namesIn, variableAt, withAnyValues, withVariables } from "../source-expression.ts"
import { isWatchable, type StopPlace } from "../stop-point.ts"
import { formatAddress } from "../symbols/symbol-source.ts"
import { watchPlaces } from "../watch-places.ts"
import type { WatchedAccess } from "../watched-memory.ts"
import { integerIn, listOf, objectOf, refuse, textIn, textOf } from "./arguments.ts"
import type { BreakpointKind, WantedBreakpoint } from "./breakpoint-table.ts"
import type { Debuggee, KnownFrame } from "./debuggee.ts"
import { valueHere } from "./evaluation.ts"
import type { RequestRefused } from "./refusal.ts"
import type { Watchable } from "./variable-store.ts"

type Args = Readonly<Record<string, unknown>>

/** Filters of interrupts, exceptions and system calls, as clients show them. */
export const exceptionFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [
  {
    filter: "interrupts",
    label: "Interrupts",
    description: "Before an interrupt is taken",
    supportsCondition: true,
    conditionDescription: "timer, software, external or numbers, with commas between",
  },
  {
    filter: "exceptions",
    label: "Exceptions",
    description: "After an instruction that raises an exception, before its handler",
    supportsCondition: true,
    conditionDescription: "for example pageFault, illegalInstruction or numbers, with commas between",
  },
  {
    filter: "syscalls",
    label: "System calls",
    description: "At the kernel's entry after an environment call of user mode",
    supportsCondition: true,
    conditionDescription: "for example openat, write or numbers, with commas between",
  },
]

/** A breakpoint whose places may fail, and its condition if it has one. */
const wanted = Effect.fnUntraced(function* (
  debuggee: Debuggee,
  args: Args,
  places: Effect.Effect<{ points: readonly NewStopPoint[]; shown?: Partial<DebugProtocol.Breakpoint> }, Error>,
) {
  const make = Effect.gen(function* () {
    const [condition, hits, log] = ["condition", "hitCondition", "logMessage"].map(name => textOf(args[name]) ?? "")
    if (hits !== "") return yield* refuse("Hits are not counted here; give a condition instead.")
    if (log !== "") return yield* refuse("Breakpoints write no messages here; set one that stops.")
    const { points, shown } = yield* places
    const holds = condition === "" ? null : yield* conditionAt(debuggee, condition!, points)
    return { points: points.map(point => ({ ...point, condition: holds })), ...(shown ? { shown } : {}) }
  })
  return yield* Effect.catch(make, (error: Error) =>
    Effect.succeed<WantedBreakpoint>({ points: [], message: error.message }),
  )
})

/** A condition of breakpoints, in which the variables that can be seen from there have their values. */
const conditionAt = Effect.fnUntraced(function* (
  { debug, view }: Debuggee,
  text: string,
  points: readonly NewStopPoint[],
) {
  const places = points.flatMap(({ place }) => (place.kind === "breakpoint" ? [place.address] : []))
  const addresses = places.length > 0 ? places : [debug.inspection.pc(debug.selectedHart)]
  const visible = new Set(addresses.flatMap(address => [...view.variableNames(address)]))
  const expression = expressionOf(debug, withAnyValues(visible, text))
  if (!expression.ok) return yield* refuse(expression.problem)
  if (![...namesIn(text)].some(name => visible.has(name))) return conditionOf(expression.value)
  return (_: Inspection, hart: number): boolean => {
    const here = expressionOf(debug, withVariables(view.frames(hart, 1)[0]!, text))
    return here.ok && conditionOf(here.value)(_, hart)
  }
})

const breakpointsAt = (addresses: readonly bigint[]): readonly NewStopPoint[] =>
  addresses.map(address => ({ place: { kind: "breakpoint", address } }))

const replace = (debuggee: Debuggee, kind: BreakpointKind, group: string, list: readonly WantedBreakpoint[]) => ({
  breakpoints: debuggee.breakpoints.replace(kind, group, list),
})

/** `lineBase`: the number of the client's first line. */
export const setBreakpoints = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args, lineBase: number) {
  const source = objectOf(args.source)
  const path = textOf(source.path) ?? textOf(source.name)
  if (path === null) return yield* refuse("The request names no source file; that is for the client to send.")
  const lines = Array.isArray(args.lines) ? args.lines.map(line => ({ line })) : []
  const asked = args.breakpoints === undefined ? lines : listOf(args.breakpoints)
  const list = yield* Effect.forEach(asked, each =>
    wanted(
      debuggee,
      each,
      Effect.gen(function* () {
        const line = (yield* integerIn(each, "line")) - lineBase + 1
        const found = debuggee.view.lineAt(path, line)
        if (found === null)
          return yield* refuse(
            debuggee.view.files.length === 0
              ? 'No program with debug information is given; name its ELF file as "program" in the launch configuration.'
              : `No program has code from line ${line} of ${path} on; choose another line, or a program that was built from it.`,
          )
        const shown = { line: found.line + lineBase - 1, source: debuggee.sources.sourceOf(found.file) }
        return { points: breakpointsAt(found.addresses), shown }
      }),
    ),
  )
  return replace(debuggee, "source", path, list)
})

export const setFunctionBreakpoints = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const { debug, view } = debuggee
  const list = yield* Effect.forEach(listOf(args.breakpoints), each =>
    wanted(
      debuggee,
      each,
      Effect.gen(function* () {
        const name = yield* textIn(each, "name")
        const known = view.functionNamed(name)
        const addresses = known.length > 0 ? known : [(yield* parseAddress(name, debug.symbols)).address]
        const place = view.place(addresses[0]!)
        const shown = {
          instructionReference: debuggee.reference({ hart: debug.selectedHart, address: addresses[0]! }),
          ...(place === null ? {} : { source: debuggee.sources.sourceOf(place.file), line: place.line }),
        }
        return { points: breakpointsAt(addresses), shown }
      }),
    ),
  )
  return replace(debuggee, "function", "", list)
})

export const setInstructionBreakpoints = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const list = yield* Effect.forEach(listOf(args.breakpoints), each =>
    wanted(
      debuggee,
      each,
      Effect.gen(function* () {
        const reference = yield* textIn(each, "instructionReference")
        const { address } = yield* debuggee.place(reference, yield* integerIn(each, "offset", 0))
        return { points: breakpointsAt([address]), shown: { instructionReference: `0x${address.toString(16)}` } }
      }),
    ),
  )
  return replace(debuggee, "instruction", "", list)
})

/** The numbers a condition of a filter lists; null: any. */
const numbersIn = (text: string, names: ReadonlyMap<string, readonly number[]>) =>
  Effect.gen(function* () {
    const words = text.split(",").map(word => word.trim())
    const numbers = yield* Effect.forEach(
      words.filter(word => word !== ""),
      word => {
        if (/^\d{1,9}$/.test(word)) return Effect.succeed([Number(word)])
        const known = names.get(word)
        if (known !== undefined) return Effect.succeed(known)
        return refuse(`"${word}" is none of them; write a number, or a name such as ${[...names.keys()][0]}.`)
      },
    )
    return numbers.length === 0 ? [null] : numbers.flat()
  })

const exceptionPlaces = (filter: string, condition: string): Effect.Effect<readonly StopPlace[], RequestRefused> => {
  switch (filter) {
    case "interrupts":
      return Effect.map(numbersIn(condition, valueNames.interrupt), causes =>
        causes.map(cause => ({ kind: "interrupt", cause })),
      )
    case "exceptions":
      return Effect.map(numbersIn(condition, valueNames.trap), causes =>
        causes.map(cause => ({ kind: "exception", cause })),
      )
    case "syscalls":
      return Effect.map(numbersIn(condition, valueNames.syscall), numbers =>
        numbers.map(number => ({ kind: "syscall", number })),
      )
    default:
      return refuse(
        `There is no filter ${filter}; choose among ${exceptionFilters.map(each => each.filter).join(", ")}.`,
      )
  }
}

export const setExceptionBreakpoints = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const plain = Array.isArray(args.filters) ? args.filters.map(filterId => ({ filterId })) : []
  const list = yield* Effect.forEach([...plain, ...listOf(args.filterOptions)], each => {
    const { filterId, condition } = each as Args
    return Effect.match(exceptionPlaces(String(filterId), textOf(condition) ?? ""), {
      onSuccess: (places): WantedBreakpoint => ({ points: places.map(place => ({ place })) }),
      onFailure: ({ message }): WantedBreakpoint => ({ points: [], message }),
    })
  })
  return replace(debuggee, "exception", "", list)
})

const POINTED_BYTES = 8
const WATCHED_BYTES_MAX = 4096

/** What a data breakpoint is for, as clients keep it: `virtual:0x80004000:8`, `register:satp`. */
const dataIdOf = (watch: Watchable): string =>
  watch.kind === "register" ? `register:${watch.name}` : `virtual:0x${watch.address.toString(16)}:${watch.bytes}`

const describe = (debuggee: Debuggee, name: string, watch: Watchable): string => {
  if (watch.kind === "register") return `changes of ${watch.name}`
  const address = `0x${watch.address.toString(16)}`
  const isName = integerRegisters.has(name) || name === "pc"
  const what = isName ? `${address}, where ${name} points to` : name === address ? address : `${name} at ${address}`
  const symbol = debuggee.debug.symbols.at(watch.address)?.symbol.name
  return `${watch.bytes} bytes of memory: ${what}${symbol === undefined || symbol === name ? "" : ` (${symbol})`}`
}

const noDataBreakpoint = (description: string) => ({ dataId: null, description })

export const dataBreakpointInfo = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const name = yield* textIn(args, "name")
  const watch = yield* Effect.match(watchableOf(debuggee, yield* debuggee.frameIn(args), name, args), {
    onSuccess: found => found,
    onFailure: error => error.message,
  })
  if (watch === null) return noDataBreakpoint(`Changes of ${name} cannot be watched.`)
  if (typeof watch === "string") return noDataBreakpoint(watch)
  return {
    dataId: dataIdOf(watch),
    description: describe(debuggee, name, watch),
    accessTypes: watch.kind === "register" ? ["write"] : ["write", "read", "readWrite"],
    canPersist: true,
  }
})

const watchableOf = Effect.fnUntraced(function* (
  debuggee: Debuggee,
  { hart, frame }: KnownFrame,
  name: string,
  args: Args,
) {
  const bytes = yield* integerIn(args, "bytes", 0)
  if (bytes < 0 || bytes > WATCHED_BYTES_MAX)
    return yield* refuse(`${bytes} bytes cannot be watched; choose 1 to ${WATCHED_BYTES_MAX}.`)
  if (typeof args.variablesReference === "number" && args.variablesReference > 0) {
    const list = debuggee.variables.read(args.variablesReference)
    if (list === null) return yield* refuse("The list of variables is from before; open it again.")
    return list.find(({ variable }) => variable.name === name)?.watch ?? null
  }
  const { debug } = debuggee
  const isPointer = integerRegisters.has(name) || name === "pc"
  if (!isPointer && (isWatchable(name) || floatRegisters.has(name))) return { kind: "register", name } as const
  const variable = variableAt(frame, name)
  if (variable !== null && args.asAddress !== true && variable.address !== null)
    return { kind: "memory", address: variable.address, bytes: bytes || (variable.size ?? POINTED_BYTES) } as const
  const symbol = debug.symbols.find(name)
  const address = symbol?.address ?? (yield* valueHere(debuggee, hart, withVariables(frame, name)))
  const size = bytes || Math.min(Number(symbol?.size ?? POINTED_BYTES), WATCHED_BYTES_MAX)
  return { kind: "memory", address, bytes: size || POINTED_BYTES } as const
})

const accesses: ReadonlyMap<string, WatchedAccess> = new Map([
  ["read", "read"],
  ["write", "write"],
  ["readWrite", "access"],
])

export const setDataBreakpoints = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const list = yield* Effect.forEach(listOf(args.breakpoints), each =>
    wanted(
      debuggee,
      each,
      Effect.gen(function* () {
        const id = yield* textIn(each, "dataId")
        const access = accesses.get(textOf(each.accessType) ?? "write") ?? "write"
        const places = placesOf(debuggee, id, access)
        if (places === null)
          return yield* refuse(`"${id}" is no data that can be watched; ask for a data breakpoint on it again.`)
        return { points: places.map(place => ({ place, label: labelOf(debuggee, id, access) })) }
      }),
    ),
  )
  return replace(debuggee, "data", "", list)
})

/** `write of jiffies`, `change of satp`: for who is told that it was met. */
const labelOf = ({ debug }: Debuggee, id: string, access: WatchedAccess): string => {
  const [kind, what = ""] = id.split(":")
  return kind === "register" ? `change of ${what}` : `${access} of ${formatAddress(debug.symbols, BigInt(what))}`
}

const placesOf = ({ debug }: Debuggee, id: string, access: WatchedAccess): readonly StopPlace[] | null => {
  const register = /^register:([\w.]+)$/.exec(id)?.[1]
  if (register !== undefined) return isWatchable(register) ? [{ kind: "register", name: register }] : null
  const memory = /^virtual:0x([\da-f]{1,16}):(\d{1,4})$/.exec(id)
  const bytes = Number(memory?.[2])
  if (memory === null || bytes < 1 || bytes > WATCHED_BYTES_MAX) return null
  return watchPlaces(debug, debug.selectedHart, BigInt(`0x${memory[1]}`), bytes, access)
}
