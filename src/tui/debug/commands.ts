/** The commands of the debugger's screen, as gdb has them where it has them: their names, how they are written, what they mean. */

import { valueNames } from "../../debugger/predicate/words.ts"
import { eventKinds, isEventKind } from "../../events/index.ts"
import { nearNames } from "../../machine/near-names.ts"
import { destinationForms, readDestination } from "./destination.ts"
import type { MemoryFormat, Order } from "./order.ts"
import { type PaneName, paneNames } from "./pane.ts"

/** A sentence that says what to do next, for what cannot be understood. */
export interface Problem {
  readonly problem: string
}

/** What the words of a command can be, for completing them. */
export type WordSource = "address" | "register" | "destination" | "pane" | "event" | "caught" | "stop"

export interface CommandDefinition {
  readonly name: string
  /** Others it goes by; the short ones of gdb come before names that only begin alike. */
  readonly aliases: readonly string[]
  /** Behind the name. */
  readonly usage: string
  readonly help: string
  readonly words: readonly WordSource[]
  readonly read: (rest: string, suffix: string) => Order | Problem
}

const problem = (text: string): Problem => ({ problem: text })

/** As much of a word that means nothing is repeated. */
const SHOWN_MAX = 40

/** A natural number, decimal or hexadecimal; null for other text. */
const naturalOf = (text: string): number | null => {
  if (!/^(?:\d{1,15}|0[xX][\da-fA-F]{1,13})$/.test(text)) return null
  return Number(text)
}

const counted = (rest: string, name: string, order: (count: number) => Order): Order | Problem => {
  const count = rest === "" ? 1 : naturalOf(rest)
  if (count === null || count === 0)
    return problem(`"${rest}" is no number of instructions; write :${name} N with N from 1 on.`)
  return order(count)
}

const nothing = (rest: string, name: string, order: Order): Order | Problem =>
  rest === "" ? order : problem(`:${name} takes nothing; "${rest}" is too much.`)

const needing = (rest: string, usage: string, order: (rest: string) => Order | Problem): Order | Problem =>
  rest === "" ? problem(`Something is missing; write :${usage}.`) : order(rest)

const readWatch =
  (access: "change" | "read" | "access", name: string) =>
  (rest: string): Order | Problem =>
    needing(rest, `${name} ADDR [LEN]`, () => {
      const match = /^(.*\S)\s+(\d+|0[xX][\da-fA-F]+)$/s.exec(rest)
      // `buffer + 8` is one address.
      const isPair = match !== null && !/[-+*&|^<>=!~(]$/.test(match[1]!)
      return { kind: "watch", access, target: isPair ? match[1]! : rest, length: isPair ? match[2]! : null }
    })

const readIds = (rest: string, usage: string, order: (ids: readonly number[]) => Order): Order | Problem => {
  const ids = rest.split(/[\s,]+/).map(naturalOf)
  if (rest === "" || ids.some(id => id === null))
    return problem(`Stop points are named by their numbers, as the list of them shows; write :${usage}.`)
  return order(ids as number[])
}

const caught = ["interrupt", "exception", "syscall"] as const
const caughtNames = {
  interrupt: valueNames.interrupt,
  exception: valueNames.trap,
  syscall: valueNames.syscall,
} as const

const readCatch = (rest: string): Order | Problem => {
  const [what = "", text, ...more] = rest.split(/\s+/)
  const found = caught.filter(name => name.startsWith(what))
  if (what === "" || found.length !== 1)
    return problem(
      "What can be caught is an interrupt, an exception or a syscall; write :catch interrupt|exception|syscall [N].",
    )
  const [kind] = found as [(typeof caught)[number]]
  if (text === undefined) return { kind: "catch", what: kind, number: null }
  const number = caughtNumber(kind, text)
  if (typeof number !== "number") return number
  return more.length === 0
    ? { kind: "catch", what: kind, number }
    : problem(`One ${kind} at a time; write :catch ${kind} ${text}.`)
}

/** The number of an interrupt, exception or system call that is written as a number or by its name. */
const caughtNumber = (kind: (typeof caught)[number], text: string): number | Problem => {
  const names = caughtNames[kind]
  const numbers = new Set([...names.values()].flat())
  const number = naturalOf(text)
  if (number !== null && (kind === "syscall" || numbers.has(number))) return number
  const named = names.get(text) ?? []
  if (named.length === 1) return named[0]!
  const single = [...names].filter(([, values]) => values.length === 1)
  const several = single.filter(([, [value]]) => named.includes(value!)).map(([name]) => name)
  if (several.length > 0) return problem(`${text} is several of them; write one of ${several.join(", ")}.`)
  const near = nearNames(text, [...names.keys()])
  const known =
    near.length > 0
      ? near.join(" or ")
      : kind === "syscall"
        ? "a number, or openat"
        : single.map(([name]) => name).join(", ")
  return problem(`There is no ${kind} ${text}; ${near.length > 0 ? `perhaps ${known} was meant` : `write ${known}`}.`)
}

/** The pattern between slashes, with flags behind. */
export const readPattern = (text: string): RegExp | Problem => {
  const match = /^\/(.*)\/([ims]*)$/s.exec(text)
  if (match === null || match[1] === "")
    return problem("A regular expression stands between slashes; write :console /REGEX/.")
  try {
    return new RegExp(match[1]!, match[2])
  } catch (cause) {
    return problem(
      `/${match[1]}/ is no regular expression (${cause instanceof Error ? cause.message : cause}); correct it.`,
    )
  }
}

const units: Readonly<Record<string, MemoryFormat["unit"]>> = { b: 1, h: 2, w: 4, g: 8 }
const digits: Readonly<Record<string, MemoryFormat["digits"]>> = { x: "hexadecimal", d: "signed", u: "unsigned" }

const readExamine = (rest: string, suffix: string): Order | Problem => {
  const format = /^(\d*)([a-z]*)$/.exec(suffix)
  const letters = [...(format?.[2] ?? "?")]
  if (format === null || letters.some(letter => !(letter in units) && !(letter in digits) && letter !== "i"))
    return problem(
      `"${suffix}" is no format; write :x/8gx ADDR with how many, b h w g for 1 2 4 8 bytes, and x d u or i.`,
    )
  if (/^0+$/.test(format[1]!)) return problem("0 units show nothing; write :x/8gx ADDR with how many, from 1 on.")
  return needing(rest, "x/8gx ADDR", address => {
    if (letters.includes("i")) return { kind: "code", address }
    const unit = letters.find(letter => letter in units)
    const shown = letters.find(letter => letter in digits)
    return {
      kind: "memory",
      address,
      format: {
        unit: unit === undefined ? (suffix === "" ? 1 : 8) : units[unit]!,
        digits: shown === undefined ? "hexadecimal" : digits[shown]!,
        count: format[1] === "" ? null : Number(format[1]),
      },
    }
  })
}

const readEvents = (rest: string): Order | Problem => {
  const match = /^([^/]*)(?:\/(.*?)\/?)?$/s.exec(rest)!
  const kinds = match[1]!.split(/[\s,]+/).filter(word => word !== "" && word !== "all")
  const unknown = kinds.find(kind => !isEventKind(kind))
  if (unknown !== undefined)
    return problem(`There are no events of kind ${unknown}; the kinds are ${eventKinds.join(", ")}.`)
  return { kind: "events", kinds: kinds.filter(isEventKind), text: match[2] ?? "" }
}

const infoPanes: Readonly<Record<string, PaneName>> = {
  breakpoints: "stops",
  watchpoints: "stops",
  threads: "harts",
  "all-registers": "registers",
  line: "code",
}

const readInfo = (rest: string): Order | Problem => {
  const names = [...paneNames, ...Object.keys(infoPanes)]
  const found = names.find(name => rest !== "" && name.startsWith(rest))
  if (found === undefined)
    return problem(`There is nothing called "${rest}" to look at; it can be ${paneNames.join(", ")}.`)
  return { kind: "focus", pane: infoPanes[found] ?? (found as PaneName) }
}

const readBreak = (rest: string): Order | Problem => {
  const [, address = "", condition] = /^(.*?)(?:(?:^|\s+)if\b\s*(.*))?$/s.exec(rest)!
  if (condition === "") return problem("A condition is missing behind if; write :break ADDR if a0 == 1.")
  return { kind: "break", address: address === "" ? null : address.replace(/^\*/, ""), condition: condition ?? null }
}

export const commands: readonly CommandDefinition[] = [
  {
    name: "break",
    aliases: ["b", "br", "hbreak"],
    usage: "[ADDR] [if CONDITION]",
    help: "stop before the instruction there, at the cursor where nothing is said",
    words: ["address"],
    read: readBreak,
  },
  {
    name: "watch",
    aliases: [],
    usage: "ADDR [LEN] | REG",
    help: "stop when memory, or a register, changes",
    words: ["address"],
    read: readWatch("change", "watch"),
  },
  {
    name: "rwatch",
    aliases: [],
    usage: "ADDR [LEN]",
    help: "stop when memory is read",
    words: ["address"],
    read: readWatch("read", "rwatch"),
  },
  {
    name: "awatch",
    aliases: [],
    usage: "ADDR [LEN]",
    help: "stop when memory is read or written",
    words: ["address"],
    read: readWatch("access", "awatch"),
  },
  {
    name: "catch",
    aliases: [],
    usage: "interrupt|exception|syscall [N]",
    help: "stop when a hart takes one",
    words: ["caught"],
    read: readCatch,
  },
  {
    name: "console",
    aliases: [],
    usage: "/REGEX/",
    help: "stop after the guest prints something that matches",
    words: [],
    read: rest => {
      const pattern = readPattern(rest)
      return pattern instanceof RegExp ? { kind: "catch-console", pattern } : pattern
    },
  },
  {
    name: "delete",
    aliases: ["d", "del"],
    usage: "N… | all",
    help: "delete stop points",
    words: ["stop"],
    read: rest =>
      rest === "all"
        ? { kind: "delete", ids: "all" }
        : readIds(rest, "delete N or :delete all", ids => ({ kind: "delete", ids })),
  },
  {
    name: "disable",
    aliases: ["dis"],
    usage: "N…",
    help: "leave stop points out until they are enabled",
    words: ["stop"],
    read: rest => readIds(rest, "disable N", ids => ({ kind: "enable", ids, isEnabled: false })),
  },
  {
    name: "enable",
    aliases: ["en"],
    usage: "N…",
    help: "heed them again",
    words: ["stop"],
    read: rest => readIds(rest, "enable N", ids => ({ kind: "enable", ids, isEnabled: true })),
  },
  {
    name: "continue",
    aliases: ["c", "fg"],
    usage: "",
    help: "go on to the next stop point",
    words: [],
    read: rest => nothing(rest, "continue", { kind: "continue", isBack: false }),
  },
  {
    name: "reverse-continue",
    aliases: ["rc"],
    usage: "",
    help: "go back to the last one",
    words: [],
    read: rest => nothing(rest, "reverse-continue", { kind: "continue", isBack: true }),
  },
  {
    name: "stepi",
    aliases: ["si"],
    usage: "[N]",
    help: "execute N instructions of the selected hart",
    words: [],
    read: rest => counted(rest, "stepi", count => ({ kind: "step", count, isBack: false })),
  },
  {
    name: "reverse-stepi",
    aliases: ["rsi"],
    usage: "[N]",
    help: "go back over N instructions",
    words: [],
    read: rest => counted(rest, "reverse-stepi", count => ({ kind: "step", count, isBack: true })),
  },
  {
    name: "nexti",
    aliases: ["ni"],
    usage: "[N]",
    help: "the same, with calls executed whole",
    words: [],
    read: rest => counted(rest, "nexti", count => ({ kind: "step-over", count })),
  },
  {
    name: "step",
    aliases: ["s"],
    usage: "[N]",
    help: "go on by N lines of source, into what they call",
    words: [],
    read: rest => counted(rest, "step", count => ({ kind: "line", count, isBack: false, isOver: false })),
  },
  {
    name: "next",
    aliases: ["n"],
    usage: "[N]",
    help: "the same, over what they call",
    words: [],
    read: rest => counted(rest, "next", count => ({ kind: "line", count, isBack: false, isOver: true })),
  },
  {
    name: "reverse-step",
    aliases: ["rs"],
    usage: "[N]",
    help: "go back by N lines",
    words: [],
    read: rest => counted(rest, "reverse-step", count => ({ kind: "line", count, isBack: true, isOver: false })),
  },
  {
    name: "reverse-next",
    aliases: ["rn"],
    usage: "[N]",
    help: "the same, over what they call",
    words: [],
    read: rest => counted(rest, "reverse-next", count => ({ kind: "line", count, isBack: true, isOver: true })),
  },
  {
    name: "finish",
    aliases: ["fin"],
    usage: "",
    help: "go on until this function has returned",
    words: [],
    read: rest => nothing(rest, "finish", { kind: "finish", isBack: false }),
  },
  {
    name: "reverse-finish",
    aliases: [],
    usage: "",
    help: "go back to where this function was called",
    words: [],
    read: rest => nothing(rest, "reverse-finish", { kind: "finish", isBack: true }),
  },
  {
    name: "until",
    aliases: ["u", "advance"],
    usage: "ADDR",
    help: "go on to an address",
    words: ["address"],
    read: rest => needing(rest, "until ADDR", address => ({ kind: "until", address })),
  },
  {
    name: "seek",
    aliases: [],
    usage: "POS | TIME | N% | start | end",
    help: "go to a place in history",
    words: ["destination"],
    read: rest => {
      const to = readDestination(rest)
      return to === null
        ? problem(`"${rest}" is no place in history; write ${destinationForms}.`)
        : { kind: "seek", to }
    },
  },
  {
    name: "undo",
    aliases: [],
    usage: "",
    help: "go to the place before",
    words: [],
    read: rest => nothing(rest, "undo", { kind: "undo" }),
  },
  {
    name: "x",
    aliases: [],
    usage: "[/NFU] ADDR",
    help: "show memory, as in gdb: x/8gx sp, x/i pc",
    words: ["address"],
    read: readExamine,
  },
  {
    name: "print",
    aliases: ["p", "inspect"],
    usage: "EXPR",
    help: "the value of a register, a symbol, a sum",
    words: ["address"],
    read: rest => needing(rest, "print EXPR", expression => ({ kind: "print", expression })),
  },
  {
    name: "walk",
    aliases: [],
    usage: "ADDR",
    help: "look an address up in the page tables",
    words: ["address"],
    read: rest => needing(rest, "walk ADDR", address => ({ kind: "pages", address })),
  },
  {
    name: "disassemble",
    aliases: ["disas", "list", "l"],
    usage: "ADDR",
    help: "show the code there",
    words: ["address"],
    read: rest => needing(rest, "disassemble ADDR", address => ({ kind: "code", address })),
  },
  {
    name: "events",
    aliases: [],
    usage: "[KIND…] [/TEXT/]",
    help: "list only such events",
    words: ["event"],
    read: readEvents,
  },
  {
    name: "hart",
    aliases: ["thread", "t"],
    usage: "N",
    help: "select a hart",
    words: [],
    read: rest => {
      const hart = naturalOf(rest)
      return hart === null ? problem(`"${rest}" is no hart; write :hart N.`) : { kind: "hart", hart }
    },
  },
  { name: "info", aliases: ["i"], usage: "PANE", help: "look at a pane", words: ["pane"], read: readInfo },
  {
    name: "fork",
    aliases: [],
    usage: "NAME",
    help: "begin a world of its own from here",
    words: [],
    read: rest => needing(rest, "fork NAME", name => ({ kind: "fork", name })),
  },
  { name: "help", aliases: ["h"], usage: "", help: "all keys and commands", words: [], read: () => ({ kind: "help" }) },
  {
    name: "quit",
    aliases: ["q", "exit"],
    usage: "",
    help: "leave",
    words: [],
    read: rest => nothing(rest, "quit", { kind: "quit" }),
  },
]

const allNames: readonly string[] = commands.flatMap(({ name, aliases }) => [name, ...aliases])

/** The command of a name, of one of its aliases, or of a beginning that only one has; else a sentence. */
const commandOf = (word: string): CommandDefinition | Problem => {
  const exact = commands.find(({ name, aliases }) => name === word || aliases.includes(word))
  if (exact !== undefined) return exact
  const begun = commands.filter(({ name }) => name.startsWith(word))
  if (begun.length === 1) return begun[0]!
  const near = begun.length > 1 ? begun.map(({ name }) => name) : nearNames(word, allNames)
  return problem(
    near.length > 0
      ? `There is no command ${word.slice(0, SHOWN_MAX)}; did you mean ${near.slice(0, 4).join(" or ")}?`
      : `There is no command ${word.slice(0, SHOWN_MAX)}; :help lists those there are.`,
  )
}

/** A line cut into the command's name, what follows the name directly behind a slash, and the rest. */
const partsOf = (line: string): { readonly word: string; readonly suffix: string; readonly rest: string } => {
  const match = /^\s*([A-Za-z-]*)(?:\/(\w*))?\s*(.*?)\s*$/s.exec(line)!
  return { word: match[1]!, suffix: match[2] ?? "", rest: match[3]! }
}

/** What a typed line asks for. A line without a word asks for nothing: null. */
export const readCommand = (line: string): Order | Problem | null => {
  if (line.trim() === "") return null
  // `:console/re/` has no format: its slash belongs to the pattern.
  const spaced = line.replace(/^(\s*(?:console|events))\//, "$1 /")
  const { word, suffix, rest } = partsOf(spaced)
  if (word === "") return problem(`"${line.trim()}" begins with no command; :help lists those there are.`)
  const found = commandOf(word)
  if ("problem" in found) return found
  if (suffix !== "" && found.name !== "x" && found.name !== "print")
    return problem(`:${found.name} has no format behind a slash; leave /${suffix} out.`)
  return found.read(rest, suffix)
}

/** What a command's words can be, for a line that has got beyond its name; null for others. */
export const wordSourcesOf = (line: string): readonly WordSource[] | null => {
  if (!/^\s*\S+\s/.test(line)) return null
  const found = commandOf(partsOf(line).word)
  return "problem" in found ? [] : found.words
}
