/** `cv run`: starts a machine and records its history. */
import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Content, WorldSpec } from "../../session/world-spec.ts"
import { imageStore, images, sessions, withTier, worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { remark } from "../output.ts"
import { consoleOptions, readInputFile, reportRun, runningFlags, runOptions } from "../running.ts"
import { home, jsonFlag } from "../settings.ts"
import { freeWorldName, newWorldPath, worldNameOf } from "../world-name.ts"

const flags = {
  what: Argument.String("image").pipe(
    Argument.withMetavar("IMAGE|KERNEL"),
    Argument.withDescription("An image's name, or the path of a kernel; may be left out when --firmware is a file"),
    Argument.optional,
  ),
  name: Flag.String("name").pipe(
    Flag.withMetavar("W"),
    Flag.withDescription("Name of the new world (default: that of the image or kernel)"),
    Flag.optional,
  ),
  memory: Flag.String("memory").pipe(
    Flag.withAlias("m"),
    Flag.withMetavar("SIZE"),
    Flag.withDescription("Memory, in bytes or with K, M or G"),
    Flag.withDefault("512M"),
  ),
  cpus: Flag.Int("cpus").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Number of harts, 1 to 8"),
    Flag.filter(
      count => count >= 1 && count <= 8,
      count => `a machine has 1 to 8 harts, not ${count}`,
    ),
    Flag.withDefault(1),
  ),
  append: Flag.String("append").pipe(
    Flag.withMetavar("S"),
    Flag.withDescription("Kernel command line (default: the image's, or console=ttyS0 for Linux)"),
    Flag.optional,
  ),
  initrd: Flag.String("initrd").pipe(Flag.withMetavar("F"), Flag.withDescription("Initial RAM disk"), Flag.optional),
  disk: Flag.String("disk").pipe(
    Flag.withMetavar("F"),
    Flag.withDescription("Disk image, may be given again; it is copied into the world and never written to"),
    Flag.atLeast(0),
  ),
  firmware: Flag.String("firmware").pipe(
    Flag.withMetavar("builtin|none|F"),
    Flag.withDescription("The built-in SBI, nothing (the kernel starts in M-mode), or a file such as OpenSBI's"),
    Flag.withDefault("builtin"),
  ),
  seed: Flag.String("seed").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("All chance in the world comes from it: the same seed gives the same run"),
    Flag.withDefault("0"),
  ),
  rtc: Flag.String("rtc").pipe(
    Flag.withMetavar("now|DATE"),
    Flag.withDescription("What the clock shows at the start (default: now on a terminal, else 2026-01-01T00:00:00Z)"),
    Flag.optional,
  ),
  ...runningFlags,
  noRecord: Flag.Boolean("no-record").pipe(
    Flag.withDescription("Keep no history"),
    Flag.withoutNegation,
    Flag.withDefault(false),
  ),
  force: Flag.Boolean("force").pipe(Flag.withDescription("Replace the world of that name"), Flag.withDefault(false)),
  json: jsonFlag,
}
type Flags = Command.Command.Config.Infer<typeof flags>

const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

const parseMemory = (text: string): Effect.Effect<number, Misused> => {
  const match = /^(\d{1,12})([KMG]?)(?:i?B)?$/i.exec(text)
  return match
    ? Effect.succeed(Number(match[1]) * units[match[2]!.toUpperCase()]!)
    : Effect.fail(
        new Misused({ problem: `"${text}" is no size of memory; write it as 512M, 2G or a number of bytes.` }),
      )
}

const DEFAULT_START = "2026-01-01T00:00:00Z"

const parseStart = (text: string): Effect.Effect<WorldSpec["startTime"], Misused> => {
  const ms = text === "now" ? Date.now() : /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  if (!(ms >= 0))
    return Effect.fail(
      new Misused({ problem: `"${text}" is no date from 1970 on; write it as 2026-01-31T12:00:00Z, or now.` }),
    )
  return Effect.succeed({ seconds: Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1_000_000 })
}

/** What an image, or a kernel by its path, gives to a machine. */
interface Source {
  readonly name: string
  readonly image: string | null
  readonly kernel: Content | null
  readonly initrd: string | null
  readonly disk: string | null
  readonly append: string
}

const kernelFile = Effect.fnUntraced(function* (path: string) {
  const { readKernelFile } = yield* images
  const { kind, bytes } = yield* readKernelFile(path)
  return { kind, content: { name: basename(path), bytes } }
})

const fromKernel = Effect.fnUntraced(function* (path: string) {
  const { kind, content } = yield* kernelFile(path)
  const append = kind === "linux" ? "console=ttyS0" : ""
  const name = basename(path).replace(/\.(elf|bin|img|gz)$/i, "")
  return { name, image: null, kernel: content, initrd: null, disk: null, append } satisfies Source
})

const fromImage = Effect.fnUntraced(function* (name: string) {
  const { ImageStore } = yield* images
  const image = yield* (yield* ImageStore).resolve(name)
  const { content } = yield* kernelFile(image.kernel)
  return {
    name,
    image: name,
    kernel: content,
    initrd: image.initrd ?? null,
    disk: image.disk ?? null,
    append: image.append,
  } satisfies Source
})

/** An image of that name, else the file at that path. */
const findSource = Effect.fnUntraced(function* (what: Option.Option<string>, firmware: string) {
  if (Option.isNone(what)) {
    if (firmware === "builtin" || firmware === "none")
      return yield* new Misused({
        problem: "There is nothing to start; name an image or a kernel, or give --firmware a file.",
      })
    return {
      name: basename(firmware),
      image: null,
      kernel: null,
      initrd: null,
      disk: null,
      append: "",
    } satisfies Source
  }
  const { ImageStore } = yield* images
  const known = yield* (yield* ImageStore).list()
  const isPath = what.value.includes("/") || existsSync(what.value)
  return known.some(({ name }) => name === what.value) || !isPath
    ? yield* fromImage(what.value)
    : yield* fromKernel(what.value)
})

const content = (path: string) => Effect.map(readInputFile(path), bytes => ({ name: basename(path), bytes }))

const specOf = Effect.fnUntraced(function* (flags: Flags, source: Source, startTime: WorldSpec["startTime"]) {
  const { firmware } = flags
  const initrd = Option.getOrElse(flags.initrd, () => source.initrd)
  const disks = source.disk === null ? flags.disk : [source.disk, ...flags.disk]
  return {
    harts: flags.cpus,
    memoryBytes: yield* parseMemory(flags.memory),
    firmware: firmware === "builtin" || firmware === "none" ? firmware : (yield* kernelFile(firmware)).content,
    kernel: source.kernel,
    initrd: initrd === null ? null : yield* content(initrd),
    disks: (yield* Effect.forEach(disks, content)).map(disk => ({ ...disk, readOnly: false })),
    bootargs: Option.getOrElse(flags.append, () => source.append),
    image: source.image,
    seed: flags.seed,
    startTime,
  } satisfies WorldSpec
})

/** The file for the new world; null when nothing is recorded. An older world makes room for it with --force. */
const placeOf = Effect.fnUntraced(function* (flags: Flags, source: Source) {
  if (flags.noRecord) return null
  if (Option.isNone(flags.name)) return yield* newWorldPath(yield* freeWorldName(source.name))
  const path = yield* newWorldPath(flags.name.value)
  if (existsSync(path) && !flags.force)
    return yield* new Misused({
      problem: `There is a world named ${flags.name.value} already; replace it with --force, or choose another name.`,
    })
  return path
})

const handle = Effect.fnUntraced(function* (flags: Flags) {
  const options = yield* runOptions(flags)
  const source = yield* findSource(flags.what, flags.firmware)
  const { isLive, openConsole } = yield* Effect.promise(() => import("../../host/terminal/index.ts"))
  const outside = consoleOptions(flags)
  const start = Option.getOrElse(flags.rtc, () => (isLive(outside) ? "now" : DEFAULT_START))
  const spec = yield* specOf(flags, source, yield* parseStart(start))
  const path = yield* placeOf(flags, source)
  const world = path === null ? null : worldNameOf(path)
  const { record } = yield* sessions
  const started = world !== null && Option.isNone(flags.name) ? remark(`recording ${world}`) : Effect.void
  yield* Effect.scoped(
    Effect.gen(function* () {
      const console = yield* openConsole(outside)
      const recording = record(path, spec, console, {
        ...options,
        started,
        replace: flags.force,
        templates: join(yield* home, "cache", "templates"),
      })
      return { summary: yield* withTier(recording), console }
    }),
  ).pipe(
    Effect.flatMap(({ summary, console }) => reportRun(world, summary, console, flags)),
    // Signals end the run in good order (see HostConsole): nothing here is cut off.
    Effect.uninterruptible,
  )
})

export const run = Command.make("run", flags, handle).pipe(
  Command.provide(worldStore),
  Command.provide(imageStore),
  Command.withShortDescription("Start a machine and record its history"),
  Command.withDescription(
    "Starts a machine from an image or a kernel and records every step of it into a new world. On a terminal the console is live: Ctrl-A x ends the run, Ctrl-A s saves a snapshot, Ctrl-A h helps. Elsewhere it goes to standard output. The exit code is the guest's.",
  ),
  Command.withExamples([
    { command: "cv run debian", description: "Start the image debian" },
    { command: "cv run Image --initrd initrd.gz --cpus 4 -m 1G", description: "Start a kernel with four harts" },
    { command: "cv run debian --stdin commands.txt --json", description: "Type a prepared text, report as JSON" },
    { command: "cv run debian --until 'console:/login:/'", description: "Stop at the login prompt" },
  ]),
)
