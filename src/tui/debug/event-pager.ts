/** Reads the events that are listed: so many on either side of a place, and more when the chosen one comes near an end of them. */
import { Effect } from "effect"
import type { ReadError, World } from "../../events/index.ts"
import { eventLines } from "./scene/event-list.ts"
import type { EventsState } from "./state.ts"

/** Events on either side. */
const AROUND = 100
/** So near an end more are read. */
const NEAR = 25

export class EventPager {
  private readonly world: World
  private readonly breathe: Effect.Effect<void>
  /** Whether there is more before and behind the list; null: there is no list yet. */
  private more: { readonly before: boolean; readonly behind: boolean } | null = null
  private asked = 0

  constructor(world: World, breathe: Effect.Effect<void>) {
    this.world = world
    this.breathe = breathe
  }

  /** The list is to be made anew. */
  restart(): void {
    this.more = null
  }

  /**
   * What has to be read so that the list is as it should be; null where it is. `seq` is the first event that has not happened. Gives null
   * when something else has been asked for meanwhile.
   */
  reading(
    { lines, selected, filter }: EventsState,
    seq: number,
  ): Effect.Effect<Partial<EventsState> | null, ReadError> | null {
    const { more, world, breathe } = this
    if (more !== null) {
      const isNearBegin = more.before && selected < NEAR
      const isNearEnd = more.behind && selected >= lines.length - NEAR
      if (!isNearBegin && !isNearEnd) return null
    }
    const chosen = more === null ? undefined : lines[selected]
    const from = chosen?.seq ?? seq
    const asked = ++this.asked
    this.more = { before: false, behind: false }
    return Effect.gen({ self: this }, function* () {
      const before = yield* eventLines(world, filter, from, "back", AROUND, breathe)
      const behind = yield* eventLines(world, filter, from, "on", AROUND, breathe)
      if (asked !== this.asked) return null
      this.more = { before: before.length === AROUND, behind: behind.length === AROUND }
      // Of those around a place the last that has happened is chosen.
      const at = chosen === undefined ? before.length - 1 : before.length
      return { lines: [...before, ...behind], selected: Math.max(0, at), isLoading: false }
    })
  }
}
