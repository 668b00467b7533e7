/** What a world is made from: with the inputs, all that is needed to make its whole history again. */
import { Schema } from "effect"

/** sha256 of a content stored in the world file, 64 hexadecimal digits. */
export const BlobHash = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

export const BlobReference = Schema.Struct({
  hash: BlobHash,
  bytes: Schema.Natural,
  /** Where it came from, for people. */
  name: Schema.String,
})
export type BlobReference = typeof BlobReference.Type

export const DiskSpec = Schema.Struct({
  content: BlobReference,
  readOnly: Schema.Boolean,
})
export type DiskSpec = typeof DiskSpec.Type

export const MachineSpec = Schema.Struct({
  harts: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 })),
  memoryBytes: Schema.Natural,
  firmware: Schema.Union([Schema.Literals(["builtin", "none"]), BlobReference]),
  kernel: Schema.NullOr(BlobReference),
  initrd: Schema.NullOr(BlobReference),
  disks: Schema.Array(DiskSpec),
  bootargs: Schema.String,
  /** Name of the image the contents were taken from, null for a bare kernel. */
  image: Schema.NullOr(Schema.String),
})
export type MachineSpec = typeof MachineSpec.Type

export const Genesis = Schema.Struct({
  /** Version of the engine that began the world. */
  engine: Schema.String,
  seed: Schema.Union([Schema.String, Schema.Int]),
  /** What the guests' real-time clock says at virtual time zero. */
  startTime: Schema.Struct({
    seconds: Schema.Natural,
    nanoseconds: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999 })),
  }),
  machines: Schema.NonEmptyArray(MachineSpec),
})
export type Genesis = typeof Genesis.Type
