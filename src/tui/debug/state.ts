/** What the debugger's screen knows besides the machine: what is looked at, what is being typed, what is under way. */
import type { Position } from "../../events/index.ts"
import type { Size } from "./layout.ts"
import type { AwaitedKind, MemoryFormat, PromptKind } from "./order.ts"
import { type PaneName, paneAfter, paneNames } from "./pane.ts"
import { type Prompt, promptFor } from "./prompt.ts"
import { defaultFilter, type EventFilter, type EventLine } from "./scene/event-list.ts"

export type Mode =
  /** Keys are orders. */
  | { readonly kind: "keys" }
  | { readonly kind: "prompt"; readonly prompt: Prompt }
  /** One more key is waited for. */
  | { readonly kind: "await"; readonly what: AwaitedKind }
  /** The help is shown, from this line on. */
  | { readonly kind: "help"; readonly scroll: number }

export interface Message {
  readonly tone: "plain" | "good" | "bad"
  readonly text: string
}

/** A way that is being gone. */
export interface GoingState {
  /** "going on", "going back to a stop point". */
  readonly what: string
  /** How much of it is done, 0 to 1; null where nobody knows. */
  readonly done: number | null
  /** Where it leads, as instructions of all harts; null where that is what is sought. */
  readonly goal: number | null
}

/** A place that was given a letter. */
export interface Mark {
  readonly position: Position
  /** Instructions of all harts before it. */
  readonly executed: number
}

/** The events that are listed. */
export interface EventsState {
  readonly filter: EventFilter
  readonly lines: readonly EventLine[]
  /** Of `lines`. */
  readonly selected: number
  readonly isLoading: boolean
}

export interface DebugState {
  readonly size: Size
  readonly focus: PaneName
  readonly isZoomed: boolean
  readonly mode: Mode
  readonly message: Message | null
  readonly going: GoingState | null
  /** Orders that wait until what is under way has come to its end. */
  readonly waiting: number
  /** Rows by which panes are scrolled down, memory also up; the console up from its end. Of lists: what is selected. */
  readonly scroll: Readonly<Record<PaneName, number>>
  /** Where the cursor of the code is, null at the next instruction. */
  readonly cursor: bigint | null
  readonly memory: { readonly expression: string; readonly format: MemoryFormat }
  /** The address whose page tables are shown. */
  readonly pages: string
  readonly events: EventsState
  readonly marks: Readonly<Record<string, Mark>>
  readonly search: { readonly text: string; readonly pattern: RegExp } | null
  /** Lines typed before, by prompt, the last one last. */
  readonly typed: Readonly<Record<PromptKind, readonly string[]>>
}

const TYPED_MAX = 200

export const initialState = (size: Size): DebugState => ({
  size,
  focus: "code",
  isZoomed: false,
  mode: { kind: "keys" },
  message: null,
  going: null,
  waiting: 0,
  scroll: Object.fromEntries(paneNames.map(name => [name, 0])) as Record<PaneName, number>,
  cursor: null,
  memory: { expression: "sp", format: { unit: 1, digits: "hexadecimal", count: null } },
  pages: "pc",
  events: { filter: defaultFilter, lines: [], selected: 0, isLoading: false },
  marks: {},
  search: null,
  typed: { command: [], search: [], go: [], fork: [] },
})

export type Action =
  | { readonly kind: "resize"; readonly size: Size }
  | { readonly kind: "focus"; readonly pane: PaneName }
  | { readonly kind: "focus-next"; readonly by: number }
  | { readonly kind: "zoom" }
  | { readonly kind: "ask"; readonly prompt: PromptKind; readonly text: string }
  | { readonly kind: "typing"; readonly prompt: Prompt }
  /** A line was carried out: it is remembered. */
  | { readonly kind: "typed"; readonly prompt: PromptKind; readonly text: string }
  /** It was not: it stays, with the sentence that says why. */
  | { readonly kind: "refused"; readonly prompt: Prompt; readonly problem: string }
  | { readonly kind: "await"; readonly what: AwaitedKind }
  | { readonly kind: "help"; readonly scroll: number }
  | { readonly kind: "keys" }
  | { readonly kind: "say"; readonly message: Message | null }
  | { readonly kind: "go"; readonly going: GoingState | null }
  | { readonly kind: "wait"; readonly waiting: number }
  /** The machine stands elsewhere. */
  | { readonly kind: "stopped" }
  | { readonly kind: "scroll"; readonly pane: PaneName; readonly to: number }
  | { readonly kind: "cursor"; readonly at: bigint | null }
  | { readonly kind: "memory"; readonly expression: string; readonly format: MemoryFormat }
  | { readonly kind: "pages"; readonly expression: string }
  | { readonly kind: "filter"; readonly filter: EventFilter }
  | { readonly kind: "events"; readonly events: Partial<EventsState> }
  | { readonly kind: "mark"; readonly letter: string; readonly mark: Mark }
  | { readonly kind: "search"; readonly search: DebugState["search"] }

/** The state after something happened. */
export const reduce = (state: DebugState, action: Action): DebugState => {
  switch (action.kind) {
    case "resize":
      return { ...state, size: action.size }
    case "focus":
      return { ...state, focus: action.pane }
    case "focus-next":
      return { ...state, focus: paneAfter(state.focus, action.by) }
    case "zoom":
      return { ...state, isZoomed: !state.isZoomed }
    case "ask":
      return { ...state, message: null, mode: { kind: "prompt", prompt: promptFor(action.prompt, action.text) } }
    case "typing":
      return { ...state, mode: { kind: "prompt", prompt: action.prompt } }
    case "typed": {
      const { prompt, text } = action
      const before = state.typed[prompt]
      const lines = text.trim() === "" || before.at(-1) === text ? before : [...before, text].slice(-TYPED_MAX)
      return { ...state, mode: { kind: "keys" }, typed: { ...state.typed, [prompt]: lines } }
    }
    case "refused":
      return { ...state, mode: { kind: "prompt", prompt: { ...action.prompt, problem: action.problem } } }
    case "await":
      return { ...state, message: null, mode: { kind: "await", what: action.what } }
    case "help":
      return { ...state, mode: { kind: "help", scroll: Math.max(0, action.scroll) } }
    case "keys":
      return { ...state, mode: { kind: "keys" } }
    case "say":
      return { ...state, message: action.message }
    case "go":
      return { ...state, going: action.going }
    case "wait":
      return { ...state, waiting: action.waiting }
    case "stopped":
      return { ...state, cursor: null, scroll: { ...state.scroll, code: 0, console: 0, stack: 0 } }
    case "scroll":
      return {
        ...state,
        scroll: { ...state.scroll, [action.pane]: action.pane === "memory" ? action.to : Math.max(0, action.to) },
      }
    case "cursor":
      return { ...state, cursor: action.at }
    case "memory":
      return {
        ...state,
        focus: "memory",
        memory: { expression: action.expression, format: action.format },
        scroll: { ...state.scroll, memory: 0 },
      }
    case "pages":
      return { ...state, focus: "pages", pages: action.expression, scroll: { ...state.scroll, pages: 0 } }
    case "filter":
      return { ...state, focus: "events", events: { ...state.events, filter: action.filter, lines: [], selected: 0 } }
    case "events":
      return { ...state, events: { ...state.events, ...action.events } }
    case "mark":
      return { ...state, marks: { ...state.marks, [action.letter]: action.mark } }
    case "search":
      return { ...state, search: action.search }
  }
}
