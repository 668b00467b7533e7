/**
 * How gdb wants harts to go on. In a history all of them go on as they did: what can be chosen is whose steps are counted.
 * GDB manual, appendix "GDB Remote Serial Protocol", packets vCont, c, C, s, S, bc and bs.
 */
import { parseNumber } from "./hex.ts"
import { parseThread, type ThreadChoice } from "./threads.ts"

export type Resumption =
  /** To the next stop point. */
  | { readonly kind: "continue" }
  | { readonly kind: "continue back" }
  /** One instruction of a hart; null: of the one that is looked at. */
  | { readonly kind: "step"; readonly hart: number | null }
  | { readonly kind: "step back" }
  /** Steps of a hart until it is no longer between two addresses, `end` not included. */
  | { readonly kind: "range"; readonly hart: number | null; readonly start: bigint; readonly end: bigint }
  /** Nowhere: what is to stop stands already. */
  | { readonly kind: "stay" }

/** What `vCont?` is answered. */
export const SUPPORTED_ACTIONS = "vCont;c;C;s;S;t;r"

const oneHart = (choice: ThreadChoice): number | null => (typeof choice === "number" ? choice : null)

const parseAction = (text: string, thread: ThreadChoice): Resumption | null => {
  // A signal is none of a hart's things: it is not passed on.
  if (/^(?:c|C[\da-fA-F]{2})$/.test(text)) return { kind: "continue" }
  if (/^(?:s|S[\da-fA-F]{2})$/.test(text)) return { kind: "step", hart: oneHart(thread) }
  if (text === "t") return { kind: "stay" }
  const range = /^r([\da-f]+),([\da-f]+)$/i.exec(text)
  if (range === null) return null
  const [start, end] = [parseNumber(range[1]!), parseNumber(range[2]!)]
  if (start === null || end === null) return null
  return { kind: "range", hart: oneHart(thread), start, end }
}

const weight = { range: 3, step: 3, continue: 2, stay: 1 } as const

/**
 * What the actions of a `vCont` packet (without its name) come to: the first one that steps, else going on where there is one. null for
 * what is none.
 */
export const parseActions = (text: string, harts: number): Resumption | null => {
  if (!text.startsWith(";")) return null
  let chosen: Resumption | null = null
  for (const action of text.slice(1).split(";")) {
    const [, what, who = "-1"] = /^([^:]*)(?::(.*))?$/s.exec(action)!
    const thread = parseThread(who, harts)
    const resumption = thread === null ? null : parseAction(what!, thread)
    if (resumption === null) return null
    if (chosen === null || weightOf(resumption) > weightOf(chosen)) chosen = resumption
  }
  return chosen
}

const weightOf = ({ kind }: Resumption): number => weight[kind as keyof typeof weight]
