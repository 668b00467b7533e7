/** From a genesis and its contents to a machine at its first instruction. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { MemoryDisk } from "../devices/index.ts"
import type { BlobReference, DiskSpec, Genesis, World } from "../events/index.ts"
import { bootProblem } from "../machine/boot.ts"
import { type KernelImage, readKernelImage } from "../machine/kernel-image.ts"
import { Machine } from "../machine/machine.ts"
import { type MachineConfig, RAM_BYTES_MAX } from "../machine/machine-config.ts"
import { once } from "../machine/once.ts"
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

/** The problem of a kernel or firmware file, or its parts. */
const readImage = (content: BlobReference, bytes: Uint8Array): KernelImage | CannotStart => {
  const result = readKernelImage(bytes)
  if (!result.ok) return new CannotStart({ problem: `${content.name}: ${result.problem.sentence}` })
  if (result.image.kind === "gzip")
    return new CannotStart({ problem: `${content.name} is still compressed; unpack it with gzip -dk.` })
  return result.image
}

const readDisks = <E, R>(
  disks: readonly DiskSpec[],
  read: (content: BlobReference) => Effect.Effect<Uint8Array, E, R>,
): Effect.Effect<readonly MemoryDisk[], CannotStart | E, R> =>
  Effect.gen(function* () {
    if (disks.length > 6)
      return yield* new CannotStart({ problem: "A machine takes at most six disks; leave some out." })
    return yield* Effect.forEach(disks, ({ content, readOnly }) =>
      Effect.gen(function* () {
        const bytes = yield* read(content)
        if (bytes.length === 0 || bytes.length % 512 !== 0)
          return yield* new CannotStart({
            problem: `The disk ${content.name} has ${bytes.length} bytes, no whole number of 512-byte sectors; enlarge it with truncate -s.`,
          })
        return new MemoryDisk(bytes, { readOnly })
      }),
    )
  })

/** What a machine is, apart from what it boots. */
const partsOf = (
  genesis: Genesis,
  disks: readonly MemoryDisk[],
  execution: Pick<MachineConfig, "translation" | "compiler">,
): Omit<MachineConfig, "firmware" | "kernel" | "initrd"> => {
  const [spec] = genesis.machines
  return {
    harts: spec.harts,
    ramBytes: spec.memoryBytes,
    bootArguments: spec.bootargs,
    disks,
    startTime: genesis.startTime,
    seed: seedBytes(genesis.seed, "machine 0"),
    ...execution,
  }
}

const newMachine = (config: MachineConfig, asleep: boolean): Effect.Effect<Machine, CannotStart> =>
  Effect.try({
    try: () => new Machine(config, asleep),
    catch: cause =>
      new CannotStart({
        problem: `This computer cannot give the machine ${config.ramBytes >> 20} MiB of memory (${cause instanceof Error ? cause.message : cause}); give it less with -m.`,
      }),
  })

/** Builds the machine of a genesis. `read` gives the contents it refers to. */
export const buildMachine = <E, R>(
  genesis: Genesis,
  read: (content: BlobReference) => Effect.Effect<Uint8Array, E, R>,
): Effect.Effect<Machine, CannotStart | E, R> =>
  Effect.gen(function* () {
    const translation = yield* Tier
    const compiler = (yield* Compiler)(genesis)
    const spec = genesis.machines[0]
    const problem = memoryProblem(spec.memoryBytes)
    if (problem) return yield* new CannotStart({ problem })
    const kernelImage = (content: BlobReference) =>
      Effect.gen(function* () {
        const image = readImage(content, yield* read(content))
        return image instanceof CannotStart ? yield* image : image
      })
    const disks = yield* readDisks(spec.disks, read)
    const config: MachineConfig = {
      ...partsOf(genesis, disks, { translation, compiler }),
      firmware:
        typeof spec.firmware === "string"
          ? { kind: spec.firmware }
          : { kind: "file", image: yield* kernelImage(spec.firmware) },
      kernel: spec.kernel && (yield* kernelImage(spec.kernel)),
      initrd: spec.initrd && (yield* read(spec.initrd)),
    }
    const cannotBoot = bootProblem(config)
    if (cannotBoot) return yield* new CannotStart({ problem: cannotBoot })
    return yield* newMachine(config, false)
  })

/** Builds the machine of a recorded world. */
export const machineOf = (world: World) => buildMachine(world.genesis, content => world.readBlob(content.hash))

/** What a machine of a recorded world boots, read when it is looked at: at the beginning, and after a reset. */
const bootedContents = (world: World): Pick<MachineConfig, "firmware" | "kernel" | "initrd"> => {
  const [{ firmware, kernel, initrd }] = world.genesis.machines
  const imageOf = (content: BlobReference): KernelImage => {
    const image = readImage(content, world.readBlobNow(content.hash))
    if (image instanceof CannotStart) throw image
    return image
  }
  const firmwareImage = once(() => imageOf(firmware as BlobReference))
  const kernelImage = once(() => kernel && imageOf(kernel))
  const initrdBytes = once(() => initrd && world.readBlobNow(initrd.hash))
  return {
    firmware:
      typeof firmware === "string"
        ? { kind: firmware }
        : {
            kind: "file",
            get image() {
              return firmwareImage()
            },
          },
    get kernel() {
      return kernelImage()
    },
    get initrd() {
      return initrdBytes()
    },
  }
}

/** Builds the machine of a recorded world, asleep: its contents are not read, but for disks. */
export const sleepingMachineOf = (world: World) =>
  Effect.gen(function* () {
    const disks = yield* readDisks(world.genesis.machines[0].disks, content => world.readBlob(content.hash))
    const contents = bootedContents(world)
    const config = Object.defineProperties(
      { ...partsOf(world.genesis, disks, { translation: yield* Tier, compiler: (yield* Compiler)(world.genesis) }) },
      Object.getOwnPropertyDescriptors(contents),
    ) as MachineConfig
    return yield* newMachine(config, true)
  })
