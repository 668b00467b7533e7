/** All harts: what each is at. */
import type { Inspection } from "../../../debugger/inspection.ts"
import { formatAddress, type SymbolSource } from "../../../debugger/symbols/symbol-source.ts"
import { modeName } from "./number-text.ts"

export interface HartView {
  readonly hart: number
  readonly mode: string
  readonly life: "running" | "waiting" | "stopped"
  readonly pc: bigint
  /** Its next instruction's place by name. */
  readonly place: string
  readonly executed: number
}

export const hartsView = (inspection: Inspection, symbols: SymbolSource): readonly HartView[] =>
  Array.from({ length: inspection.harts }, (_, hart) => {
    const pc = inspection.pc(hart)
    return {
      hart,
      mode: modeName(inspection.register(hart, "privilege")!),
      life: inspection.life(hart),
      pc,
      place: formatAddress(symbols, pc),
      executed: inspection.executed(hart),
    }
  })
