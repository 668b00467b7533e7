/** Everything the screen shows of the machine where it stands: read once, so that it stays while the machine is on its way elsewhere. */
import type { Debugger } from "../../../debugger/debugger.ts"
import type { StopPoint } from "../../../debugger/stop-point.ts"
import type { Position } from "../../../events/index.ts"
import type { DebugState } from "../state.ts"
import { type CodeListing, codeListing } from "./code-listing.ts"
import { type HartView, hartsView } from "./harts-view.ts"
import { type MemoryView, memoryView, type StackWord, stackWords } from "./memory-view.ts"
import { type PagesView, pagesView } from "./pages-view.ts"
import type { CsrView, RegisterHistory, RegisterView } from "./registers-view.ts"

export interface Scene {
  readonly position: Position
  readonly end: Position
  /** Virtual time. */
  readonly nowNs: number
  /** Instructions of all harts. */
  readonly executed: number
  /** The first event that has not happened. */
  readonly seq: number
  /** The selected one. */
  readonly hart: number
  readonly harts: readonly HartView[]
  readonly code: CodeListing
  readonly registers: readonly RegisterView[]
  readonly csrs: readonly CsrView[]
  readonly memory: MemoryView
  readonly stack: readonly StackWord[]
  readonly pages: PagesView
  /** All that has been printed. */
  readonly printed: string
  readonly stopPoints: readonly StopPoint[]
  /** Moments that can be gone to at once, as instructions of all harts. */
  readonly moments: readonly number[]
}

export interface SceneRequest {
  readonly debugger: Debugger
  readonly registers: RegisterHistory
  readonly state: DebugState
  /** The top of the code listed before, and the rows there are for it. */
  readonly codeTop: bigint | null
  readonly codeRows: number
  /** Bytes of a row of memory: it is scrolled by rows. */
  readonly memoryRowBytes: number
  /** The value of an expression now. */
  readonly evaluate: (expression: string) => bigint | null
}

export const sceneOf = ({
  debugger: session,
  registers,
  state,
  codeTop,
  codeRows,
  memoryRowBytes,
  evaluate,
}: SceneRequest): Scene => {
  const { inspection, symbols, timeline, selectedHart: hart } = session
  const memoryBase = evaluate(state.memory.expression)
  const memoryOffset = BigInt(state.scroll.memory * memoryRowBytes)
  const stopPoints = session.stopPoints
  return {
    position: session.position,
    end: timeline.end,
    nowNs: session.nowNs,
    executed: timeline.machine.executed,
    seq: timeline.seq,
    hart,
    harts: hartsView(session),
    code: codeListing({ session, cursor: state.cursor, top: codeTop, rows: codeRows }),
    registers: registers.registers(hart, symbols),
    csrs: registers.csrs(hart, symbols),
    memory: memoryView(
      inspection,
      symbols,
      hart,
      state.memory.expression,
      memoryBase === null ? null : BigInt.asUintN(64, memoryBase + memoryOffset),
    ),
    stack: stackWords(inspection, symbols, hart),
    pages: pagesView(inspection, hart, state.pages, evaluate(state.pages)),
    printed: session.printed,
    // What is switched on and off stays as it is now in what is shown.
    stopPoints: stopPoints.map(point => ({ ...point })),
    moments: timeline.moments.map(({ executed }) => executed.reduce((a, b) => a + b, 0)),
  }
}
