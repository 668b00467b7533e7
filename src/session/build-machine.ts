/** From a genesis and its contents to a machine at its first instruction. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { MemoryDisk } from "../devices/index.ts"
import type { BlobReference, Genesis, World } from "../events/index.ts"
import { bootProblem } from "../machine/boot.ts"
import { type KernelImage, readKernelImage } from "../machine/kernel-image.ts"
import { Machine } from "../machine/machine.ts"
import { type MachineConfig, RAM_BYTES_MAX } from "../machine/machine-config.ts"
import { CannotStart } from "./errors.ts"
import { Compiler, Tier } from "./tier.ts"

const RAM_BYTES_MIN = 1 << 20

/** Thirty-two bytes from a world's seed, for one purpose. */
const seedBytes = (seed: string | number, purpose: string): Uint8Array =>
  new Uint8Array(createHash("sha256").update(`chronovisor ${purpose} ${seed}`).digest())

/** A sentence for memory that no machine can have, or null. */
const memoryProblem = (bytes: number): string | null => {
  if (bytes < RAM_BYTES_MIN || bytes % 4096 !== 0)
    return `A machine cannot have ${bytes} bytes of RAM; give it a whole number of 4 KiB pages, 1 MiB at least, for example -m 512M.`
  if (bytes > RAM_BYTES_MAX)
    return `A machine cannot have more than ${Math.floor(RAM_BYTES_MAX / (1 << 20))} MiB of RAM; give it less with -m.`
  return null
}

/** Builds the machine of a genesis. `read` gives the contents it refers to. */
export const buildMachine = <E, R>(
  genesis: Genesis,
  read: (content: BlobReference) => Effect.Effect<Uint8Array, E, R>,
): Effect.Effect<Machine, CannotStart | E, R> =>
  Effect.gen(function* () {
    const translation = yield* Tier
    const compiler = yield* Compiler
    const spec = genesis.machines[0]
    const problem = memoryProblem(spec.memoryBytes)
    if (problem) return yield* new CannotStart({ problem })
    const kernelImage = (content: BlobReference) =>
      Effect.gen(function* () {
        const result = readKernelImage(yield* read(content))
        if (!result.ok) return yield* new CannotStart({ problem: `${content.name}: ${result.problem.sentence}` })
        if (result.image.kind === "gzip")
          return yield* new CannotStart({ problem: `${content.name} is still compressed; unpack it with gzip -dk.` })
        return result.image as KernelImage
      })
    const disks = yield* Effect.forEach(spec.disks, disk =>
      Effect.gen(function* () {
        const bytes = yield* read(disk.content)
        if (bytes.length === 0 || bytes.length % 512 !== 0)
          return yield* new CannotStart({
            problem: `The disk ${disk.content.name} has ${bytes.length} bytes, no whole number of 512-byte sectors; enlarge it with truncate -s.`,
          })
        return new MemoryDisk(bytes, { readOnly: disk.readOnly })
      }),
    )
    if (disks.length > 6)
      return yield* new CannotStart({ problem: "A machine takes at most six disks; leave some out." })
    const config: MachineConfig = {
      harts: spec.harts,
      ramBytes: spec.memoryBytes,
      firmware:
        typeof spec.firmware === "string"
          ? { kind: spec.firmware }
          : { kind: "file", image: yield* kernelImage(spec.firmware) },
      kernel: spec.kernel && (yield* kernelImage(spec.kernel)),
      initrd: spec.initrd && (yield* read(spec.initrd)),
      bootArguments: spec.bootargs,
      disks,
      startTime: genesis.startTime,
      seed: seedBytes(genesis.seed, "machine 0"),
      translation,
      compiler,
    }
    const cannotBoot = bootProblem(config)
    if (cannotBoot) return yield* new CannotStart({ problem: cannotBoot })
    return yield* Effect.try({
      try: () => new Machine(config),
      catch: cause =>
        new CannotStart({
          problem: `This computer cannot give the machine ${spec.memoryBytes >> 20} MiB of memory (${cause instanceof Error ? cause.message : cause}); give it less with -m.`,
        }),
    })
  })

/** Builds the machine of a recorded world. */
export const machineOf = (world: World) => buildMachine(world.genesis, content => world.readBlob(content.hash))
