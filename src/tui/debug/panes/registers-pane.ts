/** Integer and floating-point registers of the selected hart; `*` marks those that changed since the last stop. */
import { createElement as h } from "react"
import { accent, type Line, line, quiet, type Span } from "../../span.ts"
import { hex16 } from "../scene/number-text.ts"
import { registersAbreast } from "../scene/pane-rows.ts"
import type { RegisterView } from "../scene/registers-view.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowOf } from "./pane-props.ts"

const NAME_COLUMNS = 4

const cell = ({ name, value, isChanged }: RegisterView): readonly (Span | string)[] => {
  const text = hex16(value)
  return [
    quiet(name.padEnd(NAME_COLUMNS - 1)),
    isChanged ? accent(`*${text}`) : value === 0n ? quiet(` ${text}`) : ` ${text}`,
  ]
}

/** Registers in columns, read downward. */
export const registerLines = (registers: readonly RegisterView[], columns: number): readonly Line[] => {
  const abreast = registersAbreast(columns)
  if (abreast === 1)
    return registers.map(register =>
      line(...cell(register), quiet(register.symbol === null ? "" : `  ${register.symbol}`)),
    )
  // The two files apart: each begins a block of its own.
  const integers = registers.filter(({ name }) => !/^f[tsa]\d/.test(name))
  return [integers, registers.slice(integers.length)].flatMap(file => {
    const rows = Math.ceil(file.length / abreast)
    return Array.from({ length: rows }, (_, row) =>
      line(
        ...Array.from({ length: abreast }, (_, column) => file[column * rows + row]).flatMap((register, column) =>
          register === undefined ? [] : [column === 0 ? "" : " ", ...cell(register)],
        ),
      ),
    )
  })
}

export const RegistersPane = ({ scene, state, width, height }: PaneProps) =>
  h(PaneFrame, {
    pane: "registers",
    note: `hart ${scene.hart}`,
    width,
    height,
    isFocused: state.focus === "registers",
    lines: windowOf(registerLines(scene.registers, width), state.scroll.registers, height - 1),
  })
