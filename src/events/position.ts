/** Where in history something happened. Text form `r1204.m0.h1.i123456789`. */
import { Schema } from "effect"
import { PositionMalformed } from "./errors.ts"

const Natural32 = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff_ffff }))

/** `round` and `instret` are exact below 2^53, `machine` and `hart` below 2^32. */
export const Position = Schema.Struct({
  round: Schema.Natural,
  machine: Natural32,
  hart: Natural32,
  instret: Schema.Natural,
})
export type Position = typeof Position.Type

export const origin: Position = { round: 0, machine: 0, hart: 0, instret: 0 }

export const formatPosition = (position: Position): string =>
  `r${position.round}.m${position.machine}.h${position.hart}.i${position.instret}`

/** @throws PositionMalformed unless `text` is exactly what `formatPosition` prints. */
export const parsePosition = (text: string): Position => {
  const match = /^r(\d{1,16})\.m(\d{1,10})\.h(\d{1,10})\.i(\d{1,16})$/.exec(text)
  if (match === null) throw new PositionMalformed({ text })
  const [round, machine, hart, instret] = match.slice(1).map(Number) as [number, number, number, number]
  const position = { round, machine, hart, instret }
  if (formatPosition(position) !== text || machine > 0xffff_ffff || hart > 0xffff_ffff)
    throw new PositionMalformed({ text })
  if (!Number.isSafeInteger(round) || !Number.isSafeInteger(instret)) throw new PositionMalformed({ text })
  return position
}

/** Negative, zero or positive as `a` lies before, at or after `b`: by round, then machine, hart, instret. */
export const comparePositions = (a: Position, b: Position): number =>
  a.round - b.round || a.machine - b.machine || a.hart - b.hart || a.instret - b.instret
