/** All harts: what each is at. */
import type { Debugger } from "../../../debugger/debugger.ts"
import { formatAddress } from "../../../debugger/symbols/symbol-source.ts"
import { modeName } from "./number-text.ts"

export interface HartView {
  readonly hart: number
  readonly mode: string
  readonly life: "running" | "waiting" | "stopped"
  /** Where its next instruction is, by name where there is one. */
  readonly place: string
  readonly executed: number
  /** Of a Linux guest: which task it executes, `sh 123`; null where that is not known. */
  readonly task: string | null
}

export const hartsView = ({ inspection, symbols, linux }: Debugger): readonly HartView[] =>
  Array.from({ length: inspection.harts }, (_, hart) => {
    const task = linux?.linux?.currentTask(hart) ?? null
    return {
      hart,
      mode: modeName(inspection.register(hart, "privilege")!),
      life: inspection.lifeOf(hart),
      place: formatAddress(symbols, inspection.pc(hart)),
      executed: inspection.executed(hart),
      task: task === null ? null : task.pid === 0 ? "idle" : `${task.comm} ${task.pid}`,
    }
  })
