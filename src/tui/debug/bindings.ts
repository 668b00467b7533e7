/** Which key means what while nothing is being typed, and the help that says so. */
import type { Key } from "./key.ts"
import type { Order } from "./order.ts"
import { panes } from "./pane.ts"

type Binding = readonly [key: Key, order: Order]

/** Keys with blanks between them. */
const bind = (keys: string, order: Order): readonly Binding[] => keys.split(" ").map(key => [key, order])

const COARSE = 0.01
const FINE = 0.001

const orders: ReadonlyMap<Key, Order> = new Map<Key, Order>([
  ...bind("s", { kind: "step", count: 1, isBack: false }),
  ...bind("S", { kind: "step", count: 1, isBack: true }),
  ...bind("o", { kind: "step-over", count: 1 }),
  ...bind("c", { kind: "continue", isBack: false }),
  ...bind("C", { kind: "continue", isBack: true }),
  ...bind("f", { kind: "finish", isBack: false }),
  ...bind("u", { kind: "undo" }),
  ...bind("left", { kind: "scrub", by: -COARSE }),
  ...bind("right", { kind: "scrub", by: COARSE }),
  ...bind("S-left [", { kind: "scrub", by: -FINE }),
  ...bind("S-right ]", { kind: "scrub", by: FINE }),
  ...bind("home <", { kind: "seek", to: { kind: "start" } }),
  ...bind("end >", { kind: "seek", to: { kind: "end" } }),
  ...bind("n", { kind: "next-match", isBack: false }),
  ...bind("N", { kind: "next-match", isBack: true }),
  ...bind("/", { kind: "ask", prompt: "search", text: "" }),
  ...bind("g", { kind: "ask", prompt: "go", text: "" }),
  ...bind(":", { kind: "ask", prompt: "command", text: "" }),
  ...bind("B", { kind: "ask", prompt: "command", text: "break " }),
  ...bind("F", { kind: "ask", prompt: "fork", text: "" }),
  ...bind("b", { kind: "break", address: null, condition: null }),
  ...bind("m", { kind: "await", what: "mark" }),
  ...bind("'", { kind: "await", what: "jump" }),
  ...bind("h", { kind: "await", what: "hart" }),
  ...bind("j down", { kind: "scroll", by: 1, unit: "row" }),
  ...bind("k up", { kind: "scroll", by: -1, unit: "row" }),
  ...bind("pagedown", { kind: "scroll", by: 1, unit: "page" }),
  ...bind("pageup", { kind: "scroll", by: -1, unit: "page" }),
  ...bind("enter", { kind: "choose" }),
  [" ", { kind: "toggle" }],
  ...bind("x delete", { kind: "remove" }),
  ...bind("tab", { kind: "focus-next", by: 1 }),
  ...bind("S-tab", { kind: "focus-next", by: -1 }),
  ...bind("z", { kind: "zoom" }),
  ...bind("?", { kind: "help" }),
  ...bind("q", { kind: "quit" }),
  ...panes.map(({ name, key }): Binding => [key, { kind: "focus", pane: name }]),
])

/** What a key means; null for one that means nothing. */
export const orderOfKey = (key: Key): Order | null => orders.get(key) ?? null

/** Keys and what they do, in groups, for the help. */
export const keyHelp: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: "Through history",
    keys: [
      ["s  S", "one instruction of the selected hart on, back"],
      ["o", "one instruction on, a call as a whole"],
      ["c  C", "on, back to a stop point"],
      ["f", "on until this function returns"],
      ["← →", "1 % of history; with Shift, or [ and ], 0.1 %"],
      ["< >", "the beginning, the end; also Home and End"],
      ["g", "go to a position, a time, a share; or look at an address"],
      ["u", "undo: back to the place before"],
      ["m '", "then a letter: mark this place, go to a mark"],
      ["/  n N", "search what was and will be printed; next, previous"],
      ["Esc", "cancel what is under way"],
    ],
  },
  {
    title: "Stopping",
    keys: [
      ["b", "break at the cursor of the code, or take it away"],
      ["B", "break elsewhere: types :break"],
      ["Space x", "in the list: switch one off or on, delete it"],
    ],
  },
  {
    title: "Looking",
    keys: [
      ["1 … 9 0", "code, registers, CSRs, memory, stack, page table, events, console, harts, stop points"],
      ["Tab", "the next pane; Shift-Tab the one before"],
      ["z", "this pane alone, and back"],
      ["j k", "down, up; also the arrows, PgDn and PgUp for more"],
      ["Enter", "go to the chosen event, select the chosen hart"],
      ["h", "then a number: select a hart"],
    ],
  },
  {
    title: "Otherwise",
    keys: [
      [":", "a command; Tab completes it, ↑ ↓ bring back earlier ones"],
      ["F", "fork: begin a world of its own from here"],
      ["?", "this help"],
      ["q", "quit; so does Ctrl-C"],
    ],
  },
]
