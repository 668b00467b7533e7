/** The words that can be completed: names of the guest, of the machine, of the screen. */
import type { Debugger } from "../../debugger/debugger.ts"
import { registerNames } from "../../debugger/guest-expression.ts"
import { eventKinds } from "../../events/index.ts"
import type { WordSource } from "./commands.ts"
import type { WordLists } from "./completion.ts"
import { paneNames } from "./pane.ts"

/** With fewer letters a name is not looked for: everything would be meant. */
const SYMBOL_LETTERS_MIN = 2

function* symbolNames({ symbols }: Debugger, begun: string): Generator<string> {
  if (begun.length < SYMBOL_LETTERS_MIN) return
  for (const { name } of symbols.all) if (name.startsWith(begun)) yield name
}

export const wordLists = (session: Debugger): WordLists => {
  const lists: Readonly<Record<WordSource, (begun: string) => Iterable<string>>> = {
    address: begun => [...symbolNames(session, begun), ...(begun === "" ? [] : registerNames)],
    register: () => registerNames,
    destination: () => ["start", "end"],
    pane: () => paneNames,
    event: () => eventKinds,
    caught: () => ["interrupt", "exception", "syscall"],
    stop: () => session.stopPoints.map(({ id }) => String(id)),
  }
  return (source, begun) => lists[source](begun)
}
