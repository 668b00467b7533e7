/** Registers as lists of variables, with what they were when the machine stood elsewhere before. */
import { csrNumber } from "../../riscv/csr.ts"
import { floatRegisterNames, integerRegisterNames } from "../../riscv/register.ts"
import { csrText, privilegeName } from "../csr-text.ts"
import type { Inspection } from "../inspection.ts"
import type { SourceFrame } from "../source-view.ts"
import { isWatchable } from "../stop-point.ts"
import type { SymbolSource } from "../symbols/symbol-source.ts"
import type { ShownVariable, Watchable } from "./variable-store.ts"

/** Bytes watched where a register points to. */
const POINTED_BYTES = 8

const csrs = Object.keys(csrNumber)
const NAN_BOX = 0xffff_ffff_0000_0000n

const hex = (value: bigint): string => `0x${value.toString(16)}`

/** The registers of all harts, at one moment. */
type Values = ReadonlyMap<string, bigint | null>

const valuesOf = (inspection: Inspection): Values => {
  const names = ["pc", "privilege", ...integerRegisterNames, ...floatRegisterNames, ...csrs]
  const values = new Map<string, bigint | null>()
  for (let hart = 0; hart < inspection.harts; hart++)
    for (const name of names) values.set(`${hart}.${name}`, inspection.register(hart, name))
  return values
}

export class RegisterLists {
  private readonly inspection: Inspection
  private readonly symbols: () => SymbolSource
  private before: Values | null = null

  constructor(inspection: Inspection, symbols: () => SymbolSource) {
    this.inspection = inspection
    this.symbols = symbols
  }

  /** The machine is about to go elsewhere: registers are compared with those of now from then on. */
  remember(): void {
    this.before = valuesOf(this.inspection)
  }

  /** pc, x1 to x31 and the privilege of a hart; of a caller's frame those that are known still. */
  integers(hart: number, frame: SourceFrame, isInnermost: boolean): readonly ShownVariable[] {
    const pc = this.shown(hart, "pc", frame.pc, this.pointer(frame.pc), isInnermost, { kind: "register", name: "pc" })
    const integers = integerRegisterNames.slice(1).map((name, order) => {
      const value = isInnermost ? this.inspection.register(hart, name) : frame.register(order + 1)
      const watch = value === null ? null : ({ kind: "memory", address: value, bytes: POINTED_BYTES } as const)
      return this.shown(hart, name, value, value === null ? "" : this.pointer(value), isInnermost, watch)
    })
    if (!isInnermost) return [pc, ...integers]
    const level = this.inspection.register(hart, "privilege")!
    const watch = { kind: "register", name: "privilege" } as const
    return [pc, ...integers, this.shown(hart, "privilege", level, privilegeName(Number(level)), true, watch)]
  }

  floats(hart: number): readonly ShownVariable[] {
    return floatRegisterNames.map(name => {
      const value = this.inspection.register(hart, name)!
      return this.shown(hart, name, value, floatText(value), true, { kind: "register", name })
    })
  }

  csrs(hart: number): readonly ShownVariable[] {
    return csrs.flatMap(name => {
      const value = this.inspection.register(hart, name)
      const watch = isWatchable(name) ? ({ kind: "register", name } as const) : null
      return value === null ? [] : [this.shown(hart, name, value, csrText(name, value), true, watch)]
    })
  }

  private pointer(value: bigint): string {
    const found = this.symbols().at(value)
    if (found === null) return ""
    return `<${found.symbol.name}${found.offset === 0n ? "" : `+${hex(found.offset)}`}>`
  }

  private shown(
    hart: number,
    name: string,
    value: bigint | null,
    meaning: string,
    isCompared: boolean,
    watch: Watchable | null,
  ): ShownVariable {
    const before = isCompared ? (this.before?.get(`${hart}.${name}`) ?? value) : value
    const parts = [
      value === null ? "unknown" : hex(value),
      ...(meaning === "" ? [] : [meaning]),
      ...(before === value || before === null ? [] : [`(was ${hex(before)})`]),
    ]
    return {
      variable: {
        name,
        value: parts.join(" "),
        evaluateName: name,
        variablesReference: 0,
        ...(value !== null && watch?.kind === "memory" ? { memoryReference: hex(value) } : {}),
      },
      watch,
    }
  }
}

/** The number in a register: of single precision where its upper half says so. */
const floatText = (value: bigint): string => {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value)
  const isSingle = (value & NAN_BOX) === NAN_BOX
  return isSingle ? `${Math.fround(view.getFloat32(4))} (single)` : `${view.getFloat64(0)}`
}
