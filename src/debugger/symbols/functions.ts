/** Which function an instruction belongs to, with the calls that were inlined there, and where functions begin. */
import type { AddressRange } from "./address-index.ts"
import type { DebugInfo, Entry, Unit } from "./debug-info.ts"
import { Attribute } from "./dwarf-numbers.ts"
import { readScopes, type Scope, scopesAround, type UnitScopes } from "./scopes.ts"
import type { SourceLines } from "./source-lines.ts"

export interface FunctionInfo {
  readonly name: string
  /** Where calls go to. */
  readonly entry: bigint
  /** All code of the function, the part with `entry` first; more than one where the compiler put rare cases elsewhere. */
  readonly ranges: readonly AddressRange[]
  /** The full path and line of the declaration; null and 0 if not known. */
  readonly file: string | null
  readonly line: number
}

/** One level of the calls that an address stands in. */
export interface CodePlace {
  readonly functionName: string
  /** True if the compiler put this function into the one of the next level. */
  readonly isInlined: boolean
  /** Where this level is executing; null, 0 and 0 if not known. */
  readonly file: string | null
  readonly line: number
  readonly column: number
}

export class Functions {
  private readonly info: DebugInfo
  private readonly lines: SourceLines
  private readonly scopes = new Map<Unit, UnitScopes>()

  constructor(info: DebugInfo, lines: SourceLines) {
    this.info = info
    this.lines = lines
  }

  /** The function whose code lies at an address. One that was inlined there is part of it. */
  at(address: bigint): FunctionInfo | null {
    const scope = this.scopesAt(address)[0]
    return scope === undefined ? null : this.functionOf(scope)
  }

  /** Where in the source an address is: the innermost inlined call first, the function that holds the code last. */
  placesAt(address: bigint): CodePlace[] {
    const calls = this.scopesAt(address).filter(scope => scope.kind !== "block")
    const here = this.lines.at(address)
    let { file, line, column } = here ?? { file: null, line: 0, column: 0 }
    return calls.reverse().map(({ entry, kind }) => {
      const place: CodePlace = { functionName: entry.name ?? "?", isInlined: kind === "inlined", file, line, column }
      file = this.fileOf(entry, Attribute.call_file)
      line = entry.number(Attribute.call_line) ?? 0
      column = entry.number(Attribute.call_column) ?? 0
      return place
    })
  }

  /**
   * Where a breakpoint on a function goes: behind the instructions that put its parameters where they are said to be. Optimizing
   * compilers say where they are from the first instruction on.
   */
  afterPrologue({ entry, ranges }: FunctionInfo): bigint {
    const unit = this.info.unitAt(entry)
    if (unit !== null && this.scopesOf(unit).hasLocationLists) return entry
    return this.lines.bodyStart(entry, ranges[0]!.end)
  }

  /**
   * Where the code of a function begins in others that it was put into, as DW_AT_entry_pc says where it is there. None in a program that
   * is too large to go through.
   */
  inlinedStarts(name: string): bigint[] {
    const starts: bigint[] = []
    const collect = ({ kind, entry, ranges, inner }: Scope): void => {
      if (kind === "inlined" && entry.name === name) starts.push(entry.address(Attribute.entry_pc) ?? ranges[0]!.start)
      for (const scope of inner) collect(scope)
    }
    for (const unit of this.info.searchedUnits) for (const scope of this.scopesOf(unit).functions) collect(scope)
    return starts
  }

  /** Every function that has code. Reads all units: of a large program that takes long. */
  *all(): Generator<FunctionInfo> {
    for (const unit of this.info.units) for (const scope of this.scopesOf(unit).functions) yield this.functionOf(scope)
  }

  /** The scopes around an address, the outermost (a function) first; none if the address belongs to no known function. */
  scopesAt(address: bigint): Scope[] {
    const unit = this.info.unitAt(address)
    return unit === null ? [] : scopesAround(this.scopesOf(unit), address)
  }

  scopesOf(unit: Unit): UnitScopes {
    let scopes = this.scopes.get(unit)
    if (scopes === undefined) {
      scopes = readScopes(unit)
      this.scopes.set(unit, scopes)
    }
    return scopes
  }

  /** The file an attribute names by its number in the unit's line program. */
  fileOf(entry: Entry, attribute: number): string | null {
    const number = entry.number(attribute)
    const program = entry.unit.root.place(Attribute.stmt_list)
    return number === null || program === null ? null : this.lines.fileNumber(program.value, number)
  }

  private functionOf({ entry, ranges }: Scope): FunctionInfo {
    return {
      name: entry.name ?? "?",
      entry: ranges[0]!.start,
      ranges,
      file: entry.inherited(origin => this.fileOf(origin, Attribute.decl_file)),
      line: entry.inherited(origin => origin.number(Attribute.decl_line)) ?? 0,
    }
  }
}
