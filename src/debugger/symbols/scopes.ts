/** Functions of a unit with what is nested in them: inlined calls, blocks, variables. DWARF 5, sections 3.3 to 3.5 and 4.1. */
import { AddressIndex, type AddressRange } from "./address-index.ts"
import { isLocationList, rangesOf } from "./address-lists.ts"
import type { Entry, Unit } from "./debug-info.ts"
import { Attribute, Tag } from "./dwarf-numbers.ts"

/** A stretch of code in which names mean something. */
export interface Scope {
  readonly kind: "function" | "inlined" | "block"
  readonly entry: Entry
  readonly ranges: readonly AddressRange[]
  /** Parameters and variables, in the order they are declared. */
  readonly variables: Entry[]
  /** Inlined calls and blocks. */
  readonly inner: Scope[]
  readonly callSites: Entry[]
}

export interface UnitScopes {
  readonly functions: readonly Scope[]
  /** Variables outside of functions. */
  readonly globals: readonly Entry[]
  /** True if the compiler says for every address where a variable is: as GCC does when it optimizes. */
  readonly hasLocationLists: boolean
  readonly byAddress: AddressIndex<Scope>
}

/** How deep scopes may be nested before that is damage. */
const MAX_DEPTH = 200

/** Reads a whole unit. What is only declared, or inlined everywhere, has no code and is no function here. */
export function readScopes(unit: Unit): UnitScopes {
  const functions: Scope[] = []
  const globals: Entry[] = []
  let hasLocationLists = false

  /** Reads what is below `parent` into `scope` and gives where it ends. */
  const readInner = (parent: Entry, scope: Scope | null, depth: number): number => {
    if (depth > MAX_DEPTH) unit.cursor.damaged("scopes are nested too deep")
    if (!parent.hasChildren) return parent.next
    let at = parent.next
    for (;;) {
      const entry = unit.entryOrEnd(at)
      if (entry === null) return unit.cursor.at
      at = readEntry(entry, scope, depth)
    }
  }

  const readEntry = (entry: Entry, scope: Scope | null, depth: number): number => {
    switch (entry.tag) {
      case Tag.variable:
      case Tag.formal_parameter:
        if (isLocationList(entry, Attribute.location)) hasLocationLists = true
        if (scope !== null) scope.variables.push(entry)
        else if (entry.tag === Tag.variable) globals.push(entry)
        return entry.after()
      case Tag.call_site:
      case Tag.GNU_call_site:
        scope?.callSites.push(entry)
        return entry.after()
      case Tag.namespace:
        return readInner(entry, null, depth + 1)
      case Tag.subprogram:
      case Tag.inlined_subroutine:
      case Tag.lexical_block: {
        const ranges = rangesOf(entry)
        const isFunction = entry.tag === Tag.subprogram
        // A block without code is none: what it holds belongs to what is around it.
        if (ranges.length === 0)
          return entry.tag === Tag.lexical_block ? readInner(entry, scope, depth + 1) : entry.after()
        const kind = isFunction ? "function" : entry.tag === Tag.inlined_subroutine ? "inlined" : "block"
        const made: Scope = { kind, entry, ranges, variables: [], inner: [], callSites: [] }
        if (isFunction) functions.push(made)
        else scope?.inner.push(made)
        const end = readInner(entry, made, depth + 1)
        made.variables.push(...onlyInOrigin(made))
        return end
      }
      default:
        return entry.after()
    }
  }

  readInner(unit.root, null, 0)
  const byAddress = new AddressIndex(functions.flatMap(scope => scope.ranges.map(range => [range, scope] as const)))
  return { functions, globals, hasLocationLists, byAddress }
}

/** The scopes around an address, the outermost first: a function, then blocks and inlined calls in it. */
export function scopesAround(scopes: UnitScopes, address: bigint): Scope[] {
  const around: Scope[] = []
  let scope: Scope | null | undefined = scopes.byAddress.at(address)
  while (scope) {
    around.push(scope)
    scope = scope.inner.find(({ ranges }) => ranges.some(({ start, end }) => address >= start && address < end))
  }
  return around
}

/** Variables of the function or block that a scope is an instance of, where the instance does not mention them: optimized out. */
function onlyInOrigin(scope: Scope): Entry[] {
  const origin = scope.entry.reference(Attribute.abstract_origin)
  if (origin === null) return []
  const mentioned = new Set<number>()
  const collect = ({ variables, inner }: Scope): void => {
    for (const variable of variables) {
      const of = variable.reference(Attribute.abstract_origin)
      if (of !== null) mentioned.add(of.offset)
    }
    // The compiler may put what it inlines into blocks that the function itself does not have.
    for (const nested of inner) if (nested.kind === "block") collect(nested)
  }
  collect(scope)
  return [...origin.children()].filter(
    ({ tag, offset }) => (tag === Tag.variable || tag === Tag.formal_parameter) && !mentioned.has(offset),
  )
}
