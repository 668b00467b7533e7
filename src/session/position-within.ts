/** Whether a position is one of a world's history. */
import { Effect } from "effect"
import { comparePositions, formatPosition, type Position, type World } from "../events/index.ts"
import { PositionNotReached, PositionNowhere } from "./errors.ts"

/** Fails where no machine or hart of the world is ever at a position. */
export const requireHart = (world: World, position: Position): Effect.Effect<void, PositionNowhere> => {
  const [{ harts }] = world.genesis.machines
  return position.machine === 0 && position.hart < harts
    ? Effect.void
    : Effect.fail(new PositionNowhere({ wanted: formatPosition(position), harts }))
}

/** The same, and where a position lies after the end of the history. */
export const requireWithin = (
  world: World,
  position: Position,
  end: Position,
): Effect.Effect<void, PositionNowhere | PositionNotReached> =>
  Effect.andThen(
    requireHart(world, position),
    comparePositions(position, end) > 0
      ? Effect.fail(new PositionNotReached({ wanted: formatPosition(position), end: formatPosition(end) }))
      : Effect.void,
  )
