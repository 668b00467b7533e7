/** What the value of an expression depends on. */
import { csrDependence } from "./csr-changes.ts"
import { type Expression, type HartChoice, partsOf, type RegisterBank } from "./expression.ts"

/** Memory at an address known beforehand. What a virtual address names depends on the hart's translation besides. */
export interface MemoryNeed {
  readonly space: "virtual" | "physical"
  readonly hart: HartChoice
  readonly address: bigint
  readonly bytes: number
}

export interface RegisterNeed {
  readonly hart: HartChoice
  readonly bank: RegisterBank
  readonly number: number
}

/** A register that is stored: `sstatus` needs `mstatus`. */
export interface CsrNeed {
  readonly hart: HartChoice
  readonly csr: number
}

/** Nothing is listed twice. */
export interface Needs {
  readonly memory: readonly MemoryNeed[]
  /** Memory is read at an address that is computed from what may change, or from a symbol that is not bound. */
  readonly hasVariableAddress: boolean
  readonly registers: readonly RegisterNeed[]
  readonly csrs: readonly CsrNeed[]
  /** Patterns the console's text is asked for: the objects that `Context.said` is given. */
  readonly console: readonly RegExp[]
  readonly interrupt: boolean
  readonly trap: boolean
  readonly syscall: boolean
  readonly privilege: boolean
  /** Counts of instructions, those behind `csr.instret` and `csr.cycle` among them. */
  readonly instret: boolean
  /** Virtual time, that behind `csr.time` too. */
  readonly time: boolean
  /** The running task. */
  readonly task: boolean
  /** Which hart it is asked at. */
  readonly hart: boolean
  /** Symbols that are not bound. */
  readonly symbols: readonly string[]
  /** At one moment it may be true of one hart and false of another: it mentions something of a hart and does not say of which. */
  readonly perHart: boolean
}

/** All there is in an expression, itself first. */
const nodesOf = (expression: Expression): readonly Expression[] => {
  const nodes: Expression[] = []
  const visit = (node: Expression): void => {
    nodes.push(node)
    partsOf(node).forEach(visit)
  }
  visit(expression)
  return nodes
}

/** The first of those that are alike. */
const distinct = <T extends object>(items: readonly T[]): readonly T[] => [
  ...new Map(items.map(item => [Object.values(item).join(" "), item])).values(),
]

const isOfSomeHart = (node: Expression): boolean =>
  node.kind === "hart" || ("hart" in node && node.hart === null && node.kind !== "memory")

export const needsOf = (expression: Expression): Needs => {
  const nodes = nodesOf(expression)
  const all = <K extends Expression["kind"]>(kind: K) =>
    nodes.filter((node): node is Extract<Expression, { readonly kind: K }> => node.kind === kind)
  const csrs = all("csr").map(({ hart, csr }) => ({ hart, ...csrDependence(csr) }))
  const words = new Set(all("event").map(({ word }) => word))
  return {
    memory: distinct(
      all("memory").flatMap(({ space, hart, bytes, address }) =>
        address.kind === "number" ? [{ space, hart, address: address.value, bytes }] : [],
      ),
    ),
    hasVariableAddress: all("memory").some(({ address }) => address.kind !== "number"),
    registers: distinct(all("register").map(({ hart, bank, number }) => ({ hart, bank, number }))),
    csrs: distinct(csrs.flatMap(({ hart, stored }) => stored.map(csr => ({ hart, csr })))),
    console: all("said").map(({ pattern }) => pattern),
    interrupt: words.has("interrupt"),
    trap: words.has("trap"),
    syscall: words.has("syscall"),
    privilege: all("privilege").length > 0,
    instret: all("instret").length > 0 || csrs.some(({ counts }) => counts === "instret"),
    time: all("time").length > 0 || csrs.some(({ counts }) => counts === "time"),
    task: all("pid").length > 0 || all("comm").length > 0,
    hart: all("hart").length > 0,
    symbols: [...new Set(all("symbol").map(({ name }) => name))],
    perHart: nodes.some(isOfSomeHart),
  }
}
