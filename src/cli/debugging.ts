/** What the commands share that go about in a world's history. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { WrittenAddress } from "../debugger/address-text.ts"
import type { Debugger } from "../debugger/debugger.ts"
import type { Finding } from "../debugger/search/question.ts"
import { events, withTier } from "./engine.ts"
import { formatNs, remark } from "./output.ts"
import { breathe, progressBar } from "./progress.ts"
import { home, Tier } from "./settings.ts"
import { worldNameOf } from "./world-name.ts"

const debuggers = Effect.promise(() => import("../debugger/index.ts"))

/** Opens a world's history; it is open until the scope ends. */
export const debugWorld = Effect.fnUntraced(function* (path: string) {
  const { WorldStore } = yield* events
  const { openDebugger } = yield* debuggers
  const world = yield* (yield* WorldStore).openReadOnly(path)
  return yield* withTier(openDebugger(world, breathe))
})

/** Threads that look through a world's history; they end with the scope. */
export const searchersOf = Effect.fnUntraced(function* (path: string) {
  const { openSearchers } = yield* Effect.promise(() => import("../host/history-searchers.ts"))
  const [tier, directory] = [yield* Tier, yield* home]
  return yield* Effect.acquireRelease(
    Effect.sync(() => openSearchers(path, { tier, regions: join(directory, "cache", "regions") })),
    searchers => Effect.sync(searchers.close),
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

/** Where and how something was found, with what the machine shows there: the debugger goes to the place. */
export const describeFinding = Effect.fnUntraced(function* (debug: Debugger, finding: Finding) {
  const { formatPosition } = yield* events
  const { formatAddress } = yield* debuggers
  yield* debug.goTo(finding.before)
  const { inspection } = debug
  const pc = inspection.pc(finding.hart)
  const task = debug.linux?.linux?.currentTask(finding.hart) ?? null
  return {
    position: formatPosition(finding.before),
    after: formatPosition(finding.after),
    hart: finding.hart,
    virtualNs: finding.virtualNs,
    time: formatNs(finding.virtualNs),
    pc: hexOf(pc),
    place: formatAddress(debug.symbols, pc),
    instruction: inspection.instruction(finding.hart, pc)?.text ?? "",
    task: task && { pid: task.pid, comm: task.comm },
    was: hexOf(finding.was),
    is: hexOf(finding.is),
  }
})
