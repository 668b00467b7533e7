/** How an address is looked up in the page tables of the selected hart. */
import { createElement as h } from "react"
import { size } from "../../quantity.ts"
import { bad, good, type Line, line, quiet } from "../../span.ts"
import { hex, hex16 } from "../scene/number-text.ts"
import type { PageLevel, PagesView } from "../scene/pages-view.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowOf } from "./pane-props.ts"

const levelLine = ({ level, address, entry, flags, leadsTo }: PageLevel): Line =>
  line(
    quiet(`${level}  ${hex(address).padEnd(11)} `),
    hex16(entry),
    `  ${flags}  `,
    (entry & 1n) === 0n ? quiet("nothing") : quiet(hex(leadsTo)),
  )

export const pagesLines = (view: PagesView): readonly Line[] => {
  const { expression, address, bare, levels, physical, pageBytes } = view
  if (address === null) return [line(quiet(`${expression} comes to nothing here`))]
  if (bare !== null) return [line(quiet("physical "), hex(address), quiet(`, as it is: ${bare}`))]
  const end =
    physical === null
      ? line(bad("not mapped"))
      : line(quiet("physical "), good(hex(physical)), quiet(`, in a page of ${size(Number(pageBytes))}`))
  return [line(quiet("virtual  "), hex16(address)), ...levels.map(levelLine), end]
}

export const PagesPane = ({ scene, state, width, height }: PaneProps) =>
  h(PaneFrame, {
    pane: "pages",
    note: scene.pages.expression,
    width,
    height,
    isFocused: state.focus === "pages",
    lines: windowOf(pagesLines(scene.pages), state.scroll.pages, height - 1),
  })
