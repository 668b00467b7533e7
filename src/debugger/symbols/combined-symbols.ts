/** Names of addresses from several sources: a kernel's, its firmware's, those of the programs it runs. */
import { nearNames } from "../../machine/near-names.ts"
import { byAddress, type NamedAddress, type SymbolSource } from "./symbol-source.ts"

export class CombinedSymbols implements SymbolSource {
  private readonly sources: readonly SymbolSource[]
  private sorted: readonly NamedAddress[] | null = null

  /** Where several know a name or an address, the first of them is believed. */
  constructor(sources: readonly SymbolSource[]) {
    this.sources = sources
  }

  find(name: string): NamedAddress | null {
    for (const source of this.sources) {
      const found = source.find(name)
      if (found !== null) return found
    }
    return null
  }

  at(address: bigint): { readonly symbol: NamedAddress; readonly offset: bigint } | null {
    for (const source of this.sources) {
      const found = source.at(address)
      if (found !== null) return found
    }
    return null
  }

  nearNames(name: string): readonly string[] {
    return nearNames(name, new Set(this.all.map(symbol => symbol.name)))
  }

  /** What two sources say of the same place under the same name is there once. */
  get all(): readonly NamedAddress[] {
    this.sorted ??= this.distinct().sort(byAddress)
    return this.sorted
  }

  private distinct(): NamedAddress[] {
    if (this.sources.length === 1) return [...this.sources[0]!.all]
    const places = new Map<string, NamedAddress>()
    for (const symbol of this.sources.flatMap(source => source.all)) {
      const place = `${symbol.address} ${symbol.name}`
      if (!places.has(place)) places.set(place, symbol)
    }
    return [...places.values()]
  }
}
