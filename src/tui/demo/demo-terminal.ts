/** The demonstration's screen at the size of the terminal it is shown on. */
import { useWindowSize } from "ink"
import { createElement as h } from "react"
import { ColorContext } from "../color-context.ts"
import { DemoScreen } from "./demo-screen.ts"
import type { DemoState } from "./demo-state.ts"

export interface DemoTerminalProps {
  readonly state: DemoState
  readonly colored: boolean
}

export const DemoTerminal = ({ state, colored }: DemoTerminalProps) => {
  const { columns, rows } = useWindowSize()
  return h(ColorContext, { value: colored }, h(DemoScreen, { state, columns, rows }))
}
