/** Names of addresses, wherever they come from: a kernel's own tables in memory, or an ELF file. */

export interface NamedAddress {
  readonly name: string
  readonly address: bigint
  /** Bytes, null where it is not known. */
  readonly size: bigint | null
  readonly kind: "function" | "object" | "other"
}

export interface SymbolSource {
  /** By its exact name; null where there is none. */
  find(name: string): NamedAddress | null
  /** The one that an address lies in. */
  at(address: bigint): { readonly symbol: NamedAddress; readonly offset: bigint } | null
  /** Names like one that does not exist, the nearest first, three at most. */
  nearNames(name: string): readonly string[]
  /** All, in the order of their addresses. */
  readonly all: readonly NamedAddress[]
}

export const noSymbols: SymbolSource = { find: () => null, at: () => null, nearNames: () => [], all: [] }

export const byAddress = (a: NamedAddress, b: NamedAddress): number =>
  a.address < b.address ? -1 : a.address > b.address ? 1 : 0

/** `start_kernel+0x1c`, or the address in hexadecimal. */
export const formatAddress = (symbols: SymbolSource, address: bigint): string => {
  const found = symbols.at(address)
  if (found === null) return `0x${address.toString(16)}`
  return found.offset === 0n ? found.symbol.name : `${found.symbol.name}+0x${found.offset.toString(16)}`
}
