/** The debugger's screen on a terminal: at its size, with its keys. */
import { useInput, useWindowSize } from "ink"
import { createElement as h, useEffect, useSyncExternalStore } from "react"
import { ColorContext } from "../color-context.ts"
import { DebugScreen } from "./debug-screen.ts"
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
  useInput((input, special) => {
    for (const key of keysOf(input, special)) operator.press(key)
  })
  return h(ColorContext, { value: colored }, h(DebugScreen, { world, sight, course: operator.course }))
}
