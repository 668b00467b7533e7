/** What a new world is made from, and the genesis that says so. */
import { createHash } from "node:crypto"
import type { Genesis } from "../events/index.ts"

/** A file's content with the name people know it by. */
export interface Content {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface WorldSpec {
  readonly harts: number
  readonly memoryBytes: number
  readonly firmware: "builtin" | "none" | Content
  readonly kernel: Content | null
  readonly initrd: Content | null
  readonly disks: readonly (Content & { readonly readOnly: boolean })[]
  readonly bootargs: string
  /** The image the contents come from, null for a bare kernel. */
  readonly image: string | null
  readonly seed: string
  readonly startTime: { readonly seconds: number; readonly nanoseconds: number }
}

export const ENGINE_VERSION = "0.1.0"

/** Hashes by content: the machine and its world's file are made from one spec, and large contents are hashed once. */
const hashes = new WeakMap<Uint8Array, string>()

/** The sha256 of a content. */
export const hashOf = (bytes: Uint8Array): string => {
  const known = hashes.get(bytes)
  if (known !== undefined) return known
  const hash = createHash("sha256").update(bytes).digest("hex")
  hashes.set(bytes, hash)
  return hash
}

const reference = ({ name, bytes }: Content) => ({ hash: hashOf(bytes), bytes: bytes.length, name })

/** Every content of a spec. */
export const contentsOf = (spec: WorldSpec): readonly Content[] =>
  [typeof spec.firmware === "string" ? null : spec.firmware, spec.kernel, spec.initrd, ...spec.disks].filter(
    content => content !== null,
  )

export const genesisOf = (spec: WorldSpec): Genesis => ({
  engine: ENGINE_VERSION,
  seed: spec.seed,
  startTime: spec.startTime,
  machines: [
    {
      harts: spec.harts,
      memoryBytes: spec.memoryBytes,
      firmware: typeof spec.firmware === "string" ? spec.firmware : reference(spec.firmware),
      kernel: spec.kernel && reference(spec.kernel),
      initrd: spec.initrd && reference(spec.initrd),
      disks: spec.disks.map(disk => ({ content: reference(disk), readOnly: disk.readOnly })),
      bootargs: spec.bootargs,
      image: spec.image,
    },
  ],
})
