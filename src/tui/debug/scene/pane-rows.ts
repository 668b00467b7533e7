/** How much there is to see in a pane, in rows: as far as it can be scrolled. */
import { lineCount } from "../../terminal-text.ts"
import type { PaneName } from "../pane.ts"
import type { Scene } from "./scene.ts"

/** A name of three letters, a sign, sixteen digits, a blank. */
export const REGISTER_COLUMNS = 21

/** How many registers stand beside each other; one alone is shown with what it points to. */
export const registersAbreast = (columns: number): number => Math.max(1, Math.floor((columns + 1) / REGISTER_COLUMNS))

/** Of lists, their length; null for panes without an end. */
export const paneRows = (scene: Scene, pane: PaneName, columns: number): number | null => {
  switch (pane) {
    case "registers":
      return Math.ceil(scene.registers.length / registersAbreast(columns))
    case "csrs":
      return scene.csrs.length
    case "stack":
      return scene.stack.length
    case "pages":
      return scene.pages.levels.length + 3
    case "console":
      return lineCount(scene.printed)
    case "harts":
      return scene.harts.length
    case "stops":
      return scene.stopPoints.length
    default:
      return null
  }
}
