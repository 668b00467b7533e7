/** Control and status registers of the selected hart, taken apart into their fields; `*` marks changes. */
import { createElement as h } from "react"
import { accent, type Line, line, quiet } from "../../span.ts"
import { hex16 } from "../scene/number-text.ts"
import type { CsrView } from "../scene/registers-view.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowOf } from "./pane-props.ts"

const NAME_COLUMNS = 10

/** `SD FS=dirty SPIE`; causes are told apart by commas, as their names have blanks. */
const fieldsText = ({ fields }: CsrView): string => {
  const texts = fields.map(({ name, text }) => (text === null ? name : `${name}=${text}`))
  return texts.join(texts.some(text => text.includes(" ")) ? ", " : " ")
}

const csrLine = (csr: CsrView): Line => {
  const { name, value, isChanged, symbol } = csr
  const text = hex16(value)
  const isQuiet = value === 0n
  return line(
    quiet(name.padEnd(NAME_COLUMNS)),
    isChanged ? accent(`*${text}`) : isQuiet ? quiet(` ${text}`) : ` ${text}`,
    isQuiet ? quiet(`  ${fieldsText(csr)}`) : `  ${fieldsText(csr)}`,
    csr.fields.length === 0 && symbol !== null ? quiet(symbol) : "",
  )
}

export const CsrsPane = ({ scene, state, width, height }: PaneProps) =>
  h(PaneFrame, {
    pane: "csrs",
    note: `hart ${scene.hart}`,
    width,
    height,
    isFocused: state.focus === "csrs",
    lines: windowOf(scene.csrs.map(csrLine), state.scroll.csrs, height - 1),
  })
