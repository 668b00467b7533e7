/** What every pane is given. */
import type { Scene } from "../scene/scene.ts"
import type { DebugState } from "../state.ts"

export interface PaneProps {
  /** The machine where it stands. */
  readonly scene: Scene
  readonly state: DebugState
  readonly width: number
  /** With the title. */
  readonly height: number
}

/** The part of a list that is seen: scrolled by so many rows, but not past its end. */
export const windowOf = <A>(list: readonly A[], scroll: number, rows: number): readonly A[] => {
  const start = Math.max(0, Math.min(scroll, list.length - rows))
  return list.slice(start, start + rows)
}

/** The part of a list around a chosen entry, and where it begins. */
export const windowAround = <A>(
  list: readonly A[],
  chosen: number,
  rows: number,
): { readonly start: number; readonly shown: readonly A[] } => {
  const start = Math.max(0, Math.min(chosen - Math.floor(rows / 2), list.length - rows))
  return { start, shown: list.slice(start, start + rows) }
}
