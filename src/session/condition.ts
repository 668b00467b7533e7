/** Conditions that end a run: `console:/REGEX/`, a virtual time (`5s`, `250ms`), `instret:N`, `exit`. */
import { Effect } from "effect"
import { ConditionMalformed } from "./errors.ts"

export type Condition =
  | { readonly kind: "exit" }
  | { readonly kind: "console"; readonly pattern: RegExp }
  | { readonly kind: "time"; readonly virtualNs: number }
  | { readonly kind: "instret"; readonly instructions: number }

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

export const parseCondition = (text: string): Effect.Effect<Condition, ConditionMalformed> => {
  const malformed = (problem: string) => Effect.fail(new ConditionMalformed({ text, problem }))
  if (text === "exit") return Effect.succeed({ kind: "exit" })
  const console = /^console:\/(.*)\/([ims]*)$/s.exec(text)
  if (console) {
    try {
      return Effect.succeed({ kind: "console", pattern: new RegExp(console[1]!, console[2]) })
    } catch (cause) {
      return malformed(cause instanceof Error ? cause.message : String(cause))
    }
  }
  if (text.startsWith("console:")) return malformed("the regular expression stands between slashes")
  const instret = /^instret:(\d+)$/.exec(text)
  if (instret) {
    const instructions = Number(instret[1])
    return Number.isSafeInteger(instructions)
      ? Effect.succeed({ kind: "instret", instructions })
      : malformed("that many instructions are never executed")
  }
  const time = /^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)$/.exec(text)
  if (time) return Effect.succeed({ kind: "time", virtualNs: Math.round(Number(time[1]) * unitNs[time[2]!]!) })
  return malformed("it has none of the forms there are")
}

/** Nanoseconds where a text is a virtual time, else null. */
export const virtualTimeOf = (text: string): Effect.Effect<number | null> =>
  Effect.match(parseCondition(text), {
    onSuccess: condition => (condition.kind === "time" ? condition.virtualNs : null),
    onFailure: () => null,
  })

/** How much of the console's end a pattern is looked for in, in characters. */
const WINDOW = 65536

/** Watches the console for a pattern. */
export class ConsoleWatch {
  private text = ""
  private readonly pattern: RegExp
  private readonly decoder = new TextDecoder("utf-8", { fatal: false })

  constructor(pattern: RegExp) {
    this.pattern = pattern
  }

  /** Takes output; true once the pattern has been seen. */
  saw(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return false
    this.text = (this.text + this.decoder.decode(bytes, { stream: true })).slice(-WINDOW)
    return this.pattern.test(this.text)
  }
}
