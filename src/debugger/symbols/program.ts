/** A linked program of the guest, where it lies in the guest's memory: names of its addresses, and the source behind them. */
import { nearNames } from "../../machine/near-names.ts"
import { DebugFile } from "./debug-file.ts"
import type { ProgramSymbol } from "./elf-file.ts"
import type { SourceLine } from "./source-lines.ts"
import { byAddress, type NamedAddress, type SymbolSource } from "./symbol-source.ts"

export class Program implements SymbolSource {
  /** Its addresses are those where it was linked. */
  readonly file: DebugFile
  /** How far it lies from where it was linked. */
  readonly moved: bigint
  private sorted: readonly NamedAddress[] | null = null

  /**
   * `moved`: bytes between where it was linked and where it lies.
   * @throws ProgramUnusable unless these are the bytes of a linked RV64 program.
   */
  constructor(bytes: Uint8Array, moved = 0n) {
    this.file = new DebugFile(bytes)
    this.moved = moved
  }

  find(name: string): NamedAddress | null {
    const namesakes = this.file.elf.symbolsNamed(name)
    const found = namesakes.find(({ isGlobal }) => isGlobal) ?? namesakes[0]
    return found === undefined ? null : this.named(found)
  }

  at(address: bigint): { readonly symbol: NamedAddress; readonly offset: bigint } | null {
    const found = this.file.elf.symbolAt(this.linked(address))
    if (found === null) return null
    const symbol = this.named(found)
    return { symbol, offset: BigInt.asUintN(64, address - symbol.address) }
  }

  nearNames(name: string): readonly string[] {
    return nearNames(
      name,
      this.all.map(symbol => symbol.name),
    )
  }

  get all(): readonly NamedAddress[] {
    this.sorted ??= this.file.elf.symbols.map(symbol => this.named(symbol)).sort(byAddress)
    return this.sorted
  }

  /**
   * The line that the instruction at an address was compiled from; null where that is not known.
   * @throws DebugInfoDamaged
   */
  lineAt(address: bigint): SourceLine | null {
    return this.file.hasDebugInfo ? this.file.lines.at(this.linked(address)) : null
  }

  /** Where a place of it was linked. */
  linked(address: bigint): bigint {
    return BigInt.asUintN(64, address - this.moved)
  }

  /** Where a place of it lies that was linked elsewhere. */
  placed(address: bigint): bigint {
    return BigInt.asUintN(64, address + this.moved)
  }

  private named({ name, address, size, kind }: ProgramSymbol): NamedAddress {
    return { name, address: this.placed(address), size: size > 0n ? size : null, kind }
  }
}
