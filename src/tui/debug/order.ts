/** What the debugger's screen can be told to do, by keys and by commands alike. */
import type { WatchedAccess } from "../../debugger/watched-memory.ts"
import type { EventKind, Position } from "../../events/index.ts"
import type { PaneName } from "./pane.ts"

/** A place in history as people give it. */
export type Destination =
  | { readonly kind: "position"; readonly position: Position }
  /** Virtual nanoseconds. */
  | { readonly kind: "time"; readonly ns: number }
  /** Of all instructions, 0 to 1. */
  | { readonly kind: "share"; readonly share: number }
  | { readonly kind: "start" }
  | { readonly kind: "end" }

/** How memory is shown: bytes of a unit, digits, and how many units at most. */
export interface MemoryFormat {
  readonly unit: 1 | 2 | 4 | 8
  readonly digits: "hexadecimal" | "signed" | "unsigned"
  readonly count: number | null
}

export type Order =
  // Going through history.
  | { readonly kind: "step"; readonly count: number; readonly isBack: boolean }
  /** The same with calls executed whole. */
  | { readonly kind: "step-over"; readonly count: number }
  /** Lines of source, or instructions where none are known. */
  | { readonly kind: "line"; readonly count: number; readonly isBack: boolean; readonly isOver: boolean }
  | { readonly kind: "continue"; readonly isBack: boolean }
  /** Out of the function, or back to its call. */
  | { readonly kind: "finish"; readonly isBack: boolean }
  | { readonly kind: "until"; readonly address: string }
  | { readonly kind: "seek"; readonly to: Destination }
  /** By a share of all instructions. */
  | { readonly kind: "scrub"; readonly by: number }
  | { readonly kind: "undo" }
  | { readonly kind: "mark"; readonly letter: string }
  | { readonly kind: "jump"; readonly letter: string }
  | { readonly kind: "search"; readonly text: string }
  | { readonly kind: "next-match"; readonly isBack: boolean }
  // Stop points. Addresses, conditions and targets are expressions.
  | { readonly kind: "break"; readonly address: string | null; readonly condition: string | null }
  | { readonly kind: "watch"; readonly access: WatchedAccess; readonly target: string; readonly length: string | null }
  | { readonly kind: "catch"; readonly what: "interrupt" | "exception" | "syscall"; readonly number: number | null }
  | { readonly kind: "catch-console"; readonly pattern: RegExp }
  | { readonly kind: "delete"; readonly ids: readonly number[] | "all" }
  | { readonly kind: "enable"; readonly ids: readonly number[]; readonly isEnabled: boolean }
  // Looking.
  | { readonly kind: "code"; readonly address: string }
  | { readonly kind: "memory"; readonly address: string; readonly format: MemoryFormat }
  | { readonly kind: "pages"; readonly address: string }
  | { readonly kind: "print"; readonly expression: string }
  | { readonly kind: "hart"; readonly hart: number }
  | { readonly kind: "events"; readonly kinds: readonly EventKind[]; readonly text: string }
  /** The focused pane's list or window, by rows; `page` rows are as many as it has. */
  | { readonly kind: "scroll"; readonly by: number; readonly unit: "row" | "page" }
  /** What is selected in the focused pane. */
  | { readonly kind: "choose" }
  | { readonly kind: "toggle" }
  | { readonly kind: "remove" }
  // The screen.
  | { readonly kind: "focus"; readonly pane: PaneName }
  | { readonly kind: "focus-next"; readonly by: number }
  | { readonly kind: "zoom" }
  | { readonly kind: "ask"; readonly prompt: PromptKind; readonly text: string }
  | { readonly kind: "await"; readonly what: AwaitedKind }
  | { readonly kind: "help" }
  | { readonly kind: "fork"; readonly name: string }
  | { readonly kind: "quit" }

/** Lines that can be typed. */
export type PromptKind = "command" | "search" | "go" | "fork"
/** Single keys that are waited for after a first one. */
export type AwaitedKind = "mark" | "jump" | "hart"

/** Orders that only change the screen: they are carried out while something else is under way. */
const atOnce: ReadonlySet<Order["kind"]> = new Set(["focus", "focus-next", "zoom", "ask", "await", "help", "quit"])

export const isAtOnce = ({ kind }: Order): boolean => atOnce.has(kind)
