/** Control and status registers of the selected hart, taken apart into their fields; `*` marks changes. */
import { createElement as h } from "react"
import { fitted } from "../../fitted.ts"
import { accent, type Line, line, quiet } from "../../span.ts"
import { hex16 } from "../scene/number-text.ts"
import type { CsrView } from "../scene/registers-view.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowOf } from "./pane-props.ts"

const NAME_COLUMNS = 10

/** Name, sign, digits, and what stands between. */
const VALUE_COLUMNS = NAME_COLUMNS + 1 + 16 + 2

/** `SD FS=dirty SPIE`; causes are told apart by commas, as their names have blanks. */
const fieldsText = ({ fields }: CsrView, columns: number): string => {
  const texts = fields.map(({ name, text }) => (text === null ? name : `${name}=${text}`))
  return fitted(texts, texts.some(text => text.includes(" ")) ? ", " : " ", columns - VALUE_COLUMNS)
}

const csrLine = (csr: CsrView, columns: number): Line => {
  const { name, value, isChanged, symbol, fields } = csr
  const text = hex16(value)
  const meaning = fields.length === 0 ? quiet(symbol ?? "") : fieldsText(csr, columns)
  return line(
    quiet(name.padEnd(NAME_COLUMNS)),
    ...(isChanged ? [accent(`*${text}`), "  ", meaning] : []),
    ...(isChanged
      ? []
      : value === 0n
        ? [quiet(` ${text}  `), quiet(fieldsText(csr, columns))]
        : [` ${text}  `, meaning]),
  )
}

export const CsrsPane = ({ scene, state, width, height }: PaneProps) =>
  h(PaneFrame, {
    pane: "csrs",
    note: `hart ${scene.hart}`,
    width,
    height,
    isFocused: state.focus === "csrs",
    lines: windowOf(
      scene.csrs.map(csr => csrLine(csr, width)),
      state.scroll.csrs,
      height - 1,
    ),
  })
