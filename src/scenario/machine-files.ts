/** The machine of a scenario: first as paths, which another process can be told, then as contents. */
import { Effect, FileSystem, Path } from "effect"
import { type FileUnreadable, ImageStore, readKernelFile } from "../host/images/index.ts"
import type { Content, WorldSpec } from "../session/world-spec.ts"
import { unreadable } from "./collection.ts"
import type { Scenario } from "./scenario.ts"

export type DiskSource = { readonly file: string; readonly readOnly: boolean } | { readonly blankBytes: number }

/** All paths are absolute. */
export interface MachineFiles {
  readonly harts: number
  readonly memoryBytes: number
  readonly firmware: "builtin" | "none" | { readonly file: string }
  readonly kernel: string
  readonly initrd: string | null
  readonly disks: readonly DiskSource[]
  readonly bootargs: string
  readonly image: string | null
  readonly seed: string
}

const MEMORY_BYTES = 512 << 20
/** What the guest's clock shows at first, 2025-01-01: a scenario happens at the same time always. */
const START_SECONDS = 1_735_689_600

/** Finds everything a scenario's machine is made of. */
export const machineFilesOf = (scenario: Scenario) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const beside = (file: string) => path.resolve(path.dirname(scenario.file), file)
    const image = scenario.image === undefined ? null : yield* (yield* ImageStore).resolve(scenario.image)
    const { firmware = "builtin" } = scenario
    const declared = (scenario.disks ?? []).map((disk): DiskSource => {
      if (typeof disk === "string") return { file: beside(disk), readOnly: false }
      if ("blank" in disk) return { blankBytes: disk.blank }
      return { file: beside(disk.file), readOnly: disk.readonly ?? false }
    })
    return {
      harts: scenario.harts ?? 1,
      memoryBytes: scenario.memory ?? MEMORY_BYTES,
      firmware: firmware === "builtin" || firmware === "none" ? firmware : { file: beside(firmware) },
      kernel: image ? image.kernel : beside(scenario.kernel!),
      initrd: scenario.initrd === undefined ? (image?.initrd ?? null) : beside(scenario.initrd),
      disks: [...(image?.disk === undefined ? [] : [{ file: image.disk, readOnly: false }]), ...declared],
      bootargs: scenario.append ?? image?.append ?? "",
      image: scenario.image ?? null,
      seed: String(scenario.seed ?? 1),
    } satisfies MachineFiles
  })

/** Reads all of it. */
export const worldSpecOf = (files: MachineFiles) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const read = (file: string): Effect.Effect<Content, FileUnreadable> =>
      fileSystem.readFile(file).pipe(
        Effect.map(bytes => ({ name: path.basename(file), bytes })),
        Effect.mapError(error => unreadable(file, error)),
      )
    const readKernel = (file: string) =>
      Effect.map(readKernelFile(file), ({ bytes }) => ({ name: path.basename(file), bytes }))
    return {
      harts: files.harts,
      memoryBytes: files.memoryBytes,
      firmware: typeof files.firmware === "string" ? files.firmware : yield* readKernel(files.firmware.file),
      kernel: yield* readKernel(files.kernel),
      initrd: files.initrd === null ? null : yield* read(files.initrd),
      disks: yield* Effect.forEach(files.disks, (disk, index) =>
        "blankBytes" in disk
          ? Effect.succeed({ name: `blank-${index}`, bytes: new Uint8Array(disk.blankBytes), readOnly: false })
          : Effect.map(read(disk.file), content => ({ ...content, readOnly: disk.readOnly })),
      ),
      bootargs: files.bootargs,
      image: files.image,
      seed: files.seed,
      startTime: { seconds: START_SECONDS, nanoseconds: 0 },
    } satisfies WorldSpec
  })
