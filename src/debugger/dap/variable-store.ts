/** Lists of variables that a client may open: each has a number, which is good until the machine goes elsewhere. */
import type { DebugProtocol } from "@vscode/debugprotocol"
import type { DisplayedValue } from "../symbols/value.ts"

/** What a data breakpoint on a variable watches. */
export type Watchable =
  | { readonly kind: "memory"; readonly address: bigint; readonly bytes: number }
  | { readonly kind: "register"; readonly name: string }

/** A variable, and what its changes are changes of; null: they cannot be watched. */
export interface ShownVariable {
  readonly variable: DebugProtocol.Variable
  readonly watch: Watchable | null
}

/** Gives `count` variables of a list from the one numbered `first`. */
type VariableList = (first: number, count: number) => readonly ShownVariable[]

/** Lists longer than this are opened in pieces. */
const PIECE = 100
/** The largest variable whose changes are watched, in bytes. */
const WATCHED_BYTES_MAX = 4096

const hex = (value: bigint): string => `0x${value.toString(16)}`

export class VariableStore {
  private readonly lists = new Map<number, VariableList>()
  // Numbers are not used again, so that one from before means nothing.
  private next = 1

  /** Gives the number of a list. */
  add(list: VariableList): number {
    this.lists.set(this.next, list)
    return this.next++
  }

  forget(): void {
    this.lists.clear()
  }

  /** null: there is no list of that number any more. */
  read(reference: number, first = 0, count = 0): readonly ShownVariable[] | null {
    const list = this.lists.get(reference)
    return list === undefined ? null : list(first, count > 0 ? count : Number.POSITIVE_INFINITY)
  }

  /** A value of the program, whose parts can be opened; `path` is how an expression names it, null: it has no name. */
  shown(value: DisplayedValue, path: string | null = value.name): ShownVariable {
    const { name, typeName, text, address, size, childCount } = value
    const parts: VariableList = (first, count) =>
      value
        .children(first, Math.min(count, childCount - first))
        .map(part => this.shown(part, path && partPath(value, path, part)))
    return {
      variable: {
        name,
        value: text,
        type: typeName,
        ...(path === null ? {} : { evaluateName: path }),
        variablesReference: childCount > 0 ? this.add(parts) : 0,
        ...(childCount > PIECE ? { indexedVariables: childCount } : {}),
        ...(address === null ? {} : { memoryReference: hex(address) }),
      },
      watch:
        address === null || size === null || size < 1 || size > WATCHED_BYTES_MAX
          ? null
          : { kind: "memory", address, bytes: size },
    }
  }
}

/** How an expression names a part of what `path` names. */
const partPath = (value: DisplayedValue, path: string, part: DisplayedValue): string | null => {
  if (part.name.startsWith("*")) return `*${path}`
  // What a `*` stands before has parts that need parentheses, which paths have not.
  if (path.startsWith("*") || !/^(?:\[\d+\]|\w+)$/.test(part.name)) return null
  if (part.name.startsWith("[")) return `${path}${part.name}`
  return value.target() === null ? `${path}.${part.name}` : `${path}->${part.name}`
}

/** A list that is there already. */
export const listOfAll =
  (all: () => readonly ShownVariable[]): VariableList =>
  (first, count) =>
    all().slice(first, first + count)
