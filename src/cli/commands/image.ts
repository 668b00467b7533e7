/** `cv image`: kernels with what they need to boot, kept by name. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BuildProgress, Image } from "../../host/images/index.ts"
import { imageStore, images } from "../engine.ts"
import { oneLine } from "../failure.ts"
import { formatBytes, formatTable, remark, writeJson, writeLine } from "../output.ts"
import { progressBar } from "../progress.ts"
import { jsonFlag } from "../settings.ts"

const nameArgument = Argument.String("name").pipe(
  Argument.withMetavar("NAME"),
  Argument.withDescription("The image's name"),
)
const forceFlag = Flag.Boolean("force").pipe(
  Flag.withDescription("Replace the image of that name"),
  Flag.withDefault(false),
)

const store = Effect.flatMap(images, ({ ImageStore }) => ImageStore)

const documentOf = ({ name, directory, kernel, initrd, disk, manifest }: Image) => ({
  directory,
  kernelPath: kernel,
  initrdPath: initrd ?? null,
  diskPath: disk ?? null,
  ...manifest,
  name,
})

const summaryOf = (image: Image): string => {
  const { kernel, initrd, disk } = image.manifest
  const parts = [
    `kernel ${formatBytes(kernel.size)}`,
    ...(initrd ? [`initrd ${formatBytes(initrd.size)}`] : []),
    ...(disk ? [`disk ${formatBytes(disk.size)}`] : []),
  ]
  return `image ${image.name}: ${parts.join(", ")}; start it with \`cv run ${image.name}\``
}

const debian = Command.make(
  "debian",
  {
    name: Flag.String("name").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Name of the image"),
      Flag.withDefault("debian"),
    ),
    suite: Flag.String("suite").pipe(
      Flag.withMetavar("SUITE"),
      Flag.withDescription("Debian release"),
      Flag.withDefault("trixie"),
    ),
    force: forceFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const { buildDebian } = yield* store
    const image = yield* Effect.scoped(
      Effect.gen(function* () {
        const bar = yield* progressBar(0)
        return yield* buildDebian({
          name: flags.name,
          suite: flags.suite,
          force: flags.force,
          onProgress: reporter(bar.show, bar.clear),
        })
      }),
    )
    if (flags.json) return yield* writeJson(documentOf(image))
    yield* remark(summaryOf(image))
  }),
).pipe(
  Command.withShortDescription("Debian's kernel with a shell"),
  Command.withDescription(
    "Puts an image together from Debian's riscv64 packages, fetched through this computer's own apt: the kernel, the modules needed here, and an initramfs with a busybox shell. Needs neither privileges nor the system's apt lists.",
  ),
  Command.withExamples([
    { command: "cv image build debian" },
    { command: "cv image build debian --suite sid --name debian-sid" },
  ]),
)

/** On a terminal a bar, elsewhere a line when something new begins. */
const reporter = (
  show: (text: string, done: number, total: number) => void,
  clear: () => void,
): ((progress: BuildProgress) => void) => {
  let last = ""
  return ({ text, done, total }) => {
    if (text !== last && !process.stderr.isTTY) process.stderr.write(`${text}\n`)
    if (text !== last) clear()
    last = text
    show(text, done, total)
  }
}

const build = Command.make("build").pipe(
  Command.withShortDescription("Put an image together"),
  Command.withDescription("Puts an image together from a distribution's packages."),
  Command.withSubcommands([debian]),
)

const add = Command.make(
  "add",
  {
    name: nameArgument,
    kernel: Argument.String("kernel").pipe(
      Argument.withMetavar("KERNEL"),
      Argument.withDescription("Linux image, ELF or raw file, also compressed with gzip"),
    ),
    initrd: Flag.String("initrd").pipe(Flag.withMetavar("F"), Flag.withDescription("Initial RAM disk"), Flag.optional),
    disk: Flag.String("disk").pipe(Flag.withMetavar("F"), Flag.withDescription("Disk image"), Flag.optional),
    append: Flag.String("append").pipe(
      Flag.withMetavar("S"),
      Flag.withDescription("Kernel command line (default: console=ttyS0 for Linux)"),
      Flag.optional,
    ),
    force: forceFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const image = yield* (yield* store).add({
      name: flags.name,
      kernel: flags.kernel,
      initrd: Option.getOrUndefined(flags.initrd),
      disk: Option.getOrUndefined(flags.disk),
      append: Option.getOrUndefined(flags.append),
      force: flags.force,
    })
    if (flags.json) return yield* writeJson(documentOf(image))
    yield* remark(summaryOf(image))
  }),
).pipe(
  Command.withShortDescription("Make an image of files you have"),
  Command.withDescription("Copies a kernel, and what it needs, into a new image."),
  Command.withExamples([{ command: "cv image add mine Image --initrd initrd.gz" }]),
)

const list = Command.make(
  "ls",
  { json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const listings = yield* (yield* store).list()
    if (flags.json)
      return yield* writeJson(
        listings.map(listing =>
          "problem" in listing
            ? { name: listing.name, problem: listing.problem.message }
            : { bytes: listing.bytes, ...listing.manifest, name: listing.name },
        ),
      )
    yield* writeLine(
      formatTable(
        ["NAME", "#SIZE", "FORMAT", "ORIGIN"],
        listings.map(listing => {
          if ("problem" in listing) return [listing.name, "-", "-", oneLine(listing.problem.message)]
          const { origin, kernelFormat } = listing.manifest
          const from =
            origin.kind === "debian" ? `Debian ${origin.suite}, Linux ${origin.kernelRelease}` : origin.kernel
          return [listing.name, formatBytes(listing.bytes), kernelFormat, from]
        }),
      ),
    )
  }),
).pipe(Command.withDescription("Lists the images there are."))

const remove = Command.make(
  "rm",
  { name: nameArgument },
  Effect.fnUntraced(function* ({ name }) {
    yield* (yield* store).remove(name)
  }),
).pipe(Command.withDescription("Removes an image. Worlds made from it have their own copy and stay as they are."))

const inspect = Command.make(
  "inspect",
  { name: nameArgument, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const image = yield* (yield* store).inspect(flags.name)
    if (flags.json) return yield* writeJson(documentOf(image))
    const { manifest } = image
    const { origin } = manifest
    const files = [
      ["Kernel", manifest.kernel],
      ["Initrd", manifest.initrd],
      ["Disk", manifest.disk],
    ] as const
    const lines: readonly (readonly [string, string])[] = [
      ["Image", image.name],
      ["Directory", image.directory],
      ...files.flatMap(([label, file]) =>
        file ? [[label, `${file.file} (${formatBytes(file.size)}, sha256 ${file.sha256})`] as const] : [],
      ),
      ["Format", manifest.kernelFormat],
      ["Command line", manifest.append === "" ? "none" : manifest.append],
      ...(origin.kind === "debian"
        ? [
            ["Origin", `Debian ${origin.suite}, Linux ${origin.kernelRelease}`] as const,
            ...origin.packages.map(({ name, version }) => ["Package", `${name} ${version}`] as const),
          ]
        : [["Origin", `added from ${origin.kernel}`] as const]),
    ]
    yield* writeLine(lines.map(([label, value]) => `${`${label}:`.padEnd(14)} ${value}`).join("\n"))
  }),
).pipe(
  Command.withShortDescription("Show an image after checking its files"),
  Command.withDescription("Checks every file of an image against its checksum and shows what it is made of."),
)

export const image = Command.make("image").pipe(
  Command.withShortDescription("Build, add and list images to start machines from"),
  Command.withDescription("Builds, adds, lists, removes and inspects images: kernels with what they need to boot."),
  Command.withSubcommands([build, add, list, remove, inspect]),
  Command.provide(imageStore),
)
