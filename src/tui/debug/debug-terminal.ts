/** The debugger's screen on a terminal: at its size, with its keys. */
import { useCursor, useInput, useWindowSize } from "ink"
import { createElement as h, useEffect, useSyncExternalStore } from "react"
import { ColorContext } from "../color-context.ts"
import { DebugScreen } from "./debug-screen.ts"
import { footCursor, footLines } from "./foot-view.ts"
import { keysOf } from "./key.ts"
import type { Operator } from "./operator.ts"

export interface DebugTerminalProps {
  /** What the world is called. */
  readonly world: string
  /** Who carries out what is typed. */
  readonly operator: Operator
  readonly colored: boolean
}

export const DebugTerminal = ({ world, operator, colored }: DebugTerminalProps) => {
  const sight = useSyncExternalStore(operator.subscribe, operator.getSight)
  const { columns, rows } = useWindowSize()
  useEffect(() => operator.resize({ columns, rows }), [operator, columns, rows])
  const { setCursorPosition } = useCursor()
  const { state } = sight
  const x = footCursor(state, state.size.columns)
  const y = state.size.rows - footLines(state, state.size.columns).length
  setCursorPosition(x === null ? undefined : { x, y })
  useInput((input, special) => {
    for (const key of keysOf(input, special)) operator.press(key)
  })
  return h(ColorContext, { value: colored }, h(DebugScreen, { world, sight, course: operator.course }))
}
