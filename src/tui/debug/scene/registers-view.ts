/** Registers with what they hold, and which of them changed since the last stop. */
import type { Inspection } from "../../../debugger/inspection.ts"
import { formatAddress, type SymbolSource } from "../../../debugger/symbols/symbol-source.ts"
import { type DecodedField, decodeCsr } from "../../../riscv/csr-fields.ts"
import { floatRegisterNames, integerRegisterNames } from "../../../riscv/register.ts"

export interface RegisterView {
  readonly name: string
  readonly value: bigint
  readonly isChanged: boolean
  /** The symbol it points into, null where it points into none. */
  readonly symbol: string | null
}

export interface CsrView extends RegisterView {
  readonly fields: readonly DecodedField[]
}

/** Those that are shown: `pc` first, `zero` never. */
export const integerNames: readonly string[] = ["pc", ...integerRegisterNames.slice(1)]
export const shownRegisters: readonly string[] = [...integerNames, ...floatRegisterNames]

/** Supervisor level first: that is where most guests are. */
export const shownCsrs: readonly string[] =
  "sstatus scause sepc stval stvec satp sie sip sscratch stimecmp mstatus mcause mepc mtval mtvec mie mip medeleg mideleg mscratch menvcfg mcounteren scounteren fcsr misa".split(
    " ",
  )

type Values = ReadonlyMap<string, bigint>

const valuesOf = (inspection: Inspection, hart: number): Values =>
  new Map([...shownRegisters, ...shownCsrs].map(name => [name, inspection.register(hart, name) ?? 0n]))

/** What all harts' registers held when the machine last stopped, and the time before. */
export class RegisterHistory {
  private before: readonly Values[] = []
  private now: readonly Values[] = []

  /** The machine has stopped somewhere. */
  stop(inspection: Inspection): void {
    this.before = this.now
    this.now = Array.from({ length: inspection.harts }, (_, hart) => valuesOf(inspection, hart))
  }

  private view(hart: number, name: string, symbols: SymbolSource): RegisterView {
    const value = this.now[hart]!.get(name)!
    const before = this.before[hart]?.get(name)
    const isChanged = before !== undefined && before !== value
    return { name, value, isChanged, symbol: symbols.at(value) === null ? null : formatAddress(symbols, value) }
  }

  registers(hart: number, symbols: SymbolSource): readonly RegisterView[] {
    return shownRegisters.map(name => this.view(hart, name, symbols))
  }

  csrs(hart: number, symbols: SymbolSource): readonly CsrView[] {
    return shownCsrs.map(name => {
      const view = this.view(hart, name, symbols)
      return { ...view, fields: decodeCsr(name, view.value) }
    })
  }
}
