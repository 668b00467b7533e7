/** Addresses as people write them: `0x80200000`, `jiffies`, `sym:jiffies+8`, `phys:0x80200000`. */
import { Effect } from "effect"
import { AddressMalformed } from "./errors.ts"
import type { SymbolSource } from "./symbols/symbol-source.ts"

export interface WrittenAddress {
  readonly space: "virtual" | "physical"
  readonly address: bigint
  /** The symbol it names, with its size where that is known. */
  readonly symbolBytes: number | null
}

const parts =
  /^(?:(?<space>phys|virt):)?(?:sym:)?(?<base>0[xX][\da-fA-F_]+|\d[\d_]*|[A-Za-z_.$@][\w.$@]*)(?:\s*(?<sign>[+-])\s*(?<offset>0[xX][\da-fA-F]+|\d+))?$/

export const parseAddress = (text: string, symbols: SymbolSource): Effect.Effect<WrittenAddress, AddressMalformed> => {
  const malformed = (problem: string) => Effect.fail(new AddressMalformed({ text, problem }))
  const found = parts.exec(text.trim())?.groups
  if (!found)
    return malformed("write it as 0x80200000, as a symbol such as jiffies or jiffies+8, or as phys:0x80200000")
  const base = found.base!
  const isNumber = /^\d/.test(base)
  const symbol = isNumber ? null : symbols.find(base)
  if (!isNumber && symbol === null) {
    const near = symbols.nearNames(base)
    if (symbols.all.length === 0)
      return malformed("no symbols are known of this guest; give a number, or an ELF file with --symbols")
    return malformed(
      `there is no symbol ${base}${near.length > 0 ? `; perhaps ${near.join(" or ")} was meant` : "; see the guest's symbols with cv symbols"}`,
    )
  }
  const offset = BigInt(found.offset ?? 0) * (found.sign === "-" ? -1n : 1n)
  const address = (symbol === null ? BigInt(base.replaceAll("_", "")) : symbol.address) + offset
  if (address < 0n || address >= 1n << 64n) return malformed("it lies outside of 64 bits")
  return Effect.succeed({
    space: found.space === "phys" ? "physical" : "virtual",
    address,
    symbolBytes: symbol?.size && offset === 0n ? Number(symbol.size) : null,
  })
}
