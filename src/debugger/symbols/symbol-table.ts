/** Symbols of a guest's program, found by name and by address. Addresses are guest virtual addresses, sizes and offsets are in bytes. */
import { nearNames } from "../../machine/near-names.ts"

export interface GuestSymbol {
  readonly name: string
  readonly address: bigint
  /** A letter as `nm` has them: `T` code, `D` data, `R` read-only data, `B` zeroed data, `W` weak; small when local. */
  readonly type: string
  /** Absent or 0 when it is not known: the symbol then goes on to the next one. */
  readonly size?: number
}

export class SymbolTable {
  private readonly symbols: readonly GuestSymbol[]
  private readonly end: bigint | null
  private byAddress: { readonly sorted: readonly GuestSymbol[]; readonly addresses: BigUint64Array } | null = null
  private named: Map<string, GuestSymbol> | null = null

  /** `end` is the first address after the last symbol. Without, one at the end whose size is not known has only its own address. */
  constructor(symbols: readonly GuestSymbol[], end: bigint | null = null) {
    this.symbols = symbols
    this.end = end
  }

  /** By address; those that are no names for an address are left out. Made when it is first asked for, as a kernel has many. */
  private get ordered() {
    if (this.byAddress === null) {
      const sorted = this.symbols
        .filter(({ name }) => isNameOfAddress(name))
        .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : compareAliases(a, b)))
      this.byAddress = { sorted, addresses: BigUint64Array.from(sorted, ({ address }) => address) }
    }
    return this.byAddress
  }

  private get byName(): ReadonlyMap<string, GuestSymbol> {
    if (this.named === null) {
      this.named = new Map()
      for (const symbol of this.symbols) {
        const other = this.named.get(symbol.name)
        if (other === undefined || compareAliases(symbol, other) < 0) this.named.set(symbol.name, symbol)
      }
    }
    return this.named
  }

  /** The symbol of that name; among several a global one, then the first in the order given. */
  find(name: string): GuestSymbol | undefined {
    return this.byName.get(name)
  }

  /** The symbol that an address lies in: the nearest one below that reaches so far, of several names for one address the best. */
  near(address: bigint): { readonly symbol: GuestSymbol; readonly offset: number } | null {
    const after = this.firstAfter(address)
    if (after === 0) return null
    const { sorted, addresses } = this.ordered
    const start = addresses[after - 1]!
    const symbol = sorted[this.firstAfter(start - 1n)]!
    const offset = address - start
    return offset === 0n || offset < this.reach(symbol, after) ? { symbol, offset: Number(offset) } : null
  }

  /** `name`, `name+0x1c`, or the bare address where there is no symbol. */
  format(address: bigint): string {
    const found = this.near(address)
    if (found === null) return `0x${address.toString(16)}`
    return found.offset === 0 ? found.symbol.name : `${found.symbol.name}+0x${found.offset.toString(16)}`
  }

  /** At most three names that a mistyped one was perhaps meant to be. */
  nearNames(text: string): readonly string[] {
    return nearNames(text, this.byName.keys())
  }

  /** How far a symbol goes; `next` is the position of the first symbol with a higher address. */
  private reach({ address, size }: GuestSymbol, next: number): bigint {
    if (size) return BigInt(size)
    const { sorted, addresses } = this.ordered
    const end = next < sorted.length ? addresses[next]! : this.end
    return end === null ? 0n : end - address
  }

  /** The position of the first symbol with a higher address. */
  private firstAfter(address: bigint): number {
    const { addresses } = this.ordered
    let low = 0
    let high = addresses.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (addresses[middle]! <= address) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Marks for disassemblers (`$x`, `$d`), labels of assemblers and room before functions are no names for an address. */
const isNameOfAddress = (name: string): boolean => !/^(?:$|\$|\.L|__pfx_)/.test(name)

/** What linkers call the borders of sections: something else often begins there. */
const border = /^_+(?:start|stop|end)(?:_|$)|^_.*_(?:start|begin|end)$|^_+[se]?(?:init)?(?:text|data|rodata|bss)$/

const ranks: readonly ((symbol: GuestSymbol) => boolean)[] = [
  ({ name }) => border.test(name),
  ({ type }) => /[wv]/i.test(type),
  ({ type }) => !/t/i.test(type),
  ({ type }) => type === type.toLowerCase(),
]

/** Negative when `a` is the better name. Equal ones stay in the order they came in. */
const compareAliases = (a: GuestSymbol, b: GuestSymbol): number => {
  for (const rank of ranks) {
    const difference = Number(rank(a)) - Number(rank(b))
    if (difference !== 0) return difference
  }
  return underscores(a.name) - underscores(b.name)
}

const underscores = (name: string): number => /^_*/.exec(name)![0].length
