/** What the commands share that go about in a world's history. */
import { join } from "node:path"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { WrittenAddress } from "../debugger/address-text.ts"
import type { Debugger } from "../debugger/debugger.ts"
import type { Finding } from "../debugger/search/question.ts"
import type { Going } from "../session/timeline/timeline.ts"
import { conditions, events, withTier } from "./engine.ts"
import { Misused } from "./failure.ts"
import { formatNs, remark } from "./output.ts"
import { breathe, progressBar } from "./progress.ts"
import { looksLikePosition, parsePositionText } from "./replaying.ts"
import { readInputFile } from "./running.ts"
import { home, Tier } from "./settings.ts"
import { worldNameOf } from "./world-name.ts"

const debuggers = Effect.promise(() => import("../debugger/index.ts"))

/** `--symbols FILE`: names beside those that the guest's kernel has itself, and those in the files it was booted from. */
export const symbolsFlag = Flag.String("symbols").pipe(
  Flag.withMetavar("FILE[@ADDR]"),
  Flag.withDescription(
    "An ELF file of a program that the guest runs, for its symbols, and how far from where it was linked it lies; may be given again",
  ),
  Flag.atLeast(0),
)

/** A program as `--symbols` names it: `FILE`, or `FILE@0x2aaaaaa000` for one that can lie anywhere. */
const readProgram = Effect.fnUntraced(function* (text: string) {
  const { Program, ProgramUnusable } = yield* debuggers
  const { file, moved } = /^(?<file>.*?)(?:@(?<moved>0x[\da-fA-F]{1,16}))?$/s.exec(text)!.groups!
  const bytes = yield* readInputFile(file!)
  const program = yield* Effect.try({
    try: () => new Program(bytes, BigInt(moved ?? 0)),
    catch: cause => {
      if (cause instanceof ProgramUnusable) return new Misused({ problem: `${file}: ${cause.message}` })
      throw cause
    },
  })
  if (program.all.length === 0)
    return yield* new Misused({ problem: `${file} has no symbols; give the program as it was before it was stripped.` })
  return program
})

/**
 * Opens a world's history, with symbols of ELF files; it is open until the scope ends. `isLoaded`: for who looks at its beginning.
 */
export const debugWorld = Effect.fnUntraced(function* (
  path: string,
  symbolFiles: readonly string[] = [],
  isLoaded = true,
) {
  const { WorldStore } = yield* events
  const { openDebugger } = yield* debuggers
  const programs = yield* Effect.forEach(symbolFiles, readProgram)
  const world = yield* (yield* WorldStore).openReadOnly(path, { holdsSnapshots: true })
  const debug = yield* withTier(openDebugger(world, breathe, { isLoaded, programs }))
  debug.searchers = yield* searchersOf(path, true)
  return debug
})

/** The position that a text names: itself, or where a history is gone to at a virtual time, its start or its end. */
export const positionWritten = Effect.fnUntraced(function* (debug: Debugger, text: string, going: Going = {}) {
  if (looksLikePosition(text)) return yield* parsePositionText(text)
  const { goToWritten } = yield* debuggers
  yield* goToWritten(debug, text, going)
  return debug.position
})

/** The same in a world that is not open; of a virtual time without what came from outside after it. */
export const momentIn = Effect.fnUntraced(function* (path: string, text: string) {
  if (looksLikePosition(text)) return yield* parsePositionText(text)
  const position = yield* Effect.scoped(
    Effect.gen(function* () {
      const debug = yield* debugWorld(path, [], false)
      const bar = yield* progressBar()
      return yield* positionWritten(debug, text, { progress: done => bar.show(`Going to ${text}`, done, 1) })
    }),
  )
  const time = yield* (yield* conditions).virtualTimeOf(text)
  return time === null ? position : { position, virtualNs: time }
})

/** Threads that look through a world's history; they end with the scope. `isLate`: they begin with the first question. */
export const searchersOf = Effect.fnUntraced(function* (path: string, isLate = false) {
  const { lateSearchers, openSearchers } = yield* Effect.promise(() => import("../host/history-searchers.ts"))
  const [tier, directory] = [yield* Tier, yield* home]
  const settings = { tier, regions: join(directory, "cache", "regions") }
  return yield* Effect.acquireRelease(
    Effect.sync(() => (isLate ? lateSearchers(path, settings) : openSearchers(path, settings))),
    searchers => Effect.promise(searchers.close),
  )
})

/** A bar for going through a world's history. */
export const searchBar = Effect.fnUntraced(function* (path: string) {
  const bar = yield* progressBar()
  return { progress: (done: number) => bar.show(`Going through ${worldNameOf(path)}`, done, 1) }
})

/** A predicate or expression of the command line; where it is malformed, its place is shown before it fails. */
export const askedPredicate = Effect.fnUntraced(function* (debug: Debugger, text: string) {
  const { writtenPredicate } = yield* debuggers
  return yield* Effect.tapError(writtenPredicate(debug, text), error => remark(error.caret))
})

/** The physical address behind one that was written, where the debugger stands or as the kernel will have it; null: not mapped. */
export const physicalOf = (debug: Debugger, { space, address }: WrittenAddress): bigint | null =>
  space === "physical" ? address : debug.physical(address)

export const hexOf = (value: bigint | null): string => (value === null ? "?" : `0x${value.toString(16)}`)

/** Writes values for people to read: of what points into a function also into which. */
export const valueFormat = Effect.fnUntraced(function* (debug: Debugger) {
  const { formatAddress } = yield* debuggers
  return (value: bigint | null): string => {
    const isCode = value !== null && debug.symbols.at(value)?.symbol.kind === "function"
    return isCode ? `${hexOf(value)} <${formatAddress(debug.symbols, value)}>` : hexOf(value)
  }
})

/** Where and how something was found, with what stood there. Precondition: its scene was asked for. */
export const describeFinding = Effect.fnUntraced(function* (debug: Debugger, finding: Finding) {
  const { formatPosition } = yield* events
  const { formatAddress } = yield* debuggers
  const { pc, instruction, task } = finding.scene!
  return {
    position: formatPosition(finding.before),
    after: formatPosition(finding.after),
    hart: finding.hart,
    virtualNs: finding.virtualNs,
    time: formatNs(finding.virtualNs),
    pc: hexOf(pc),
    place: formatAddress(debug.symbols, pc),
    instruction,
    task,
    was: hexOf(finding.was),
    is: hexOf(finding.is),
  }
})
