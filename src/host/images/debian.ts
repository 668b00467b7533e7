/** Puts a bootable image together from Debian's riscv64 packages: the stock kernel, and an initramfs with busybox and the drivers. */
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { constants, gzip, zstdCompress } from "node:zlib"
import { Effect } from "effect"
import { type Apt, type DebianPackage, openApt } from "./apt.ts"
import { busyboxApplets } from "./busybox.ts"
import { type BuildError, PackageUnusable } from "./errors.ts"
import { hashFile, storage, withWorkDirectory } from "./files.ts"
import { buildInitramfs } from "./initramfs.ts"
import { readKernelFile } from "./kernel-file.ts"
import { type KernelModule, moduleName, readKernelModule } from "./kernel-modules.ts"
import { type ImageManifest, MANIFEST_FORMAT } from "./manifest.ts"

/** How the initramfs is stored. Compression makes the file smaller and the boot longer. */
export type InitrdCompression = "none" | "gzip" | "zstd"

export type BuildStep = "lists" | "download" | "unpack" | "initramfs" | "store"

/** How far a build is. `done` and `total` are bytes during the download and 0 and 0 otherwise. */
export type BuildProgress = {
  readonly step: BuildStep
  /** What is going on, for a line on the screen. */
  readonly text: string
  readonly done: number
  readonly total: number
}

export type DebianBuild = {
  readonly name: string
  readonly suite: string
  readonly compression: InitrdCompression
  /** Directory for apt's lists and the packages; kept between builds, may be removed at any time. */
  readonly cacheDirectory: string
  /** Empty directory that receives the image's files. */
  readonly targetDirectory: string
  readonly onProgress: (progress: BuildProgress) => void
}

/** Drivers for the devices of the board, and the file system most Debian disks have. Dependencies are added. */
const MODULES = ["virtio_mmio", "virtio_blk", "virtio_console", "virtio_rng", "ext4"]
/** Commands /init cannot do without. */
const NEEDED_APPLETS = ["cttyhack", "hostname", "modprobe", "mount", "nproc", "poweroff", "setsid", "sh"]
const KERNEL_PACKAGE = "linux-image-riscv64"
const BUSYBOX_PACKAGE = "busybox-static"
const APPEND = "console=ttyS0"

/** Writes kernel and initrd to the target directory and returns the manifest for them. */
export const buildDebian = Effect.fnUntraced(function* (
  build: DebianBuild,
): Effect.fn.Return<ImageManifest, BuildError> {
  const report = (step: BuildStep, text: string, done = 0, total = 0) => build.onProgress({ step, text, done, total })
  report("lists", `Fetching the package lists of Debian ${build.suite}`)
  const apt = yield* openApt(build.cacheDirectory, build.suite)
  const kernelPackage = yield* findKernel(apt)
  const busyboxPackage = yield* apt.find(BUSYBOX_PACKAGE)
  const packages = [kernelPackage, busyboxPackage]

  const total = packages.reduce((sum, each) => sum + each.size, 0)
  const debs: string[] = []
  let before = 0
  for (const each of packages) {
    const text = `Downloading ${each.name} ${each.version}`
    report("download", text, before, total)
    debs.push(yield* apt.download(each, done => report("download", text, before + done, total)))
    before += each.size
  }
  yield* removeSuperseded(debs)

  return yield* withWorkDirectory(join(build.cacheDirectory, "unpacked"), root =>
    assemble(build, apt, packages, debs, root, report),
  )
})

const assemble = Effect.fnUntraced(function* (
  build: DebianBuild,
  apt: Apt,
  packages: readonly DebianPackage[],
  debs: readonly string[],
  root: string,
  report: (step: BuildStep, text: string) => void,
): Effect.fn.Return<ImageManifest, BuildError> {
  const [kernelPackage, busyboxPackage] = packages as [DebianPackage, DebianPackage]
  for (const [index, deb] of debs.entries()) {
    report("unpack", `Unpacking ${packages[index]!.name}`)
    yield* apt.unpack(deb, root)
  }

  report("initramfs", "Making the initramfs")
  const boot = yield* storage(join(root, "boot"), () => readdir(join(root, "boot")).catch(() => []))
  const kernelName = boot.find(name => /^vmlinu[xz]-/.test(name))
  if (kernelName === undefined) {
    return yield* new PackageUnusable({ packageName: kernelPackage.name, problem: "it has no kernel in /boot" })
  }
  const kernelRelease = kernelName.replace(/^vmlinu[xz]-/, "")
  const kernel = yield* readKernelFile(join(root, "boot", kernelName)).pipe(
    Effect.mapError(error => new PackageUnusable({ packageName: kernelPackage.name, problem: error.message })),
  )
  const modules = yield* collectModules(apt, kernelPackage.name, root, kernelRelease)
  const busybox = yield* readBusybox(busyboxPackage.name, root)
  const archive = buildInitramfs({
    hostName: "debian",
    kernelRelease,
    suite: build.suite,
    busybox: busybox.binary,
    applets: busybox.applets,
    modules,
  })

  report("store", "Storing the image")
  const kernelPath = join(build.targetDirectory, "kernel")
  const initrdPath = join(build.targetDirectory, "initrd")
  yield* storage(build.targetDirectory, async () => {
    await copyFile(join(root, "boot", kernelName), kernelPath)
    await writeFile(initrdPath, await compress(archive, build.compression))
  })
  return {
    format: MANIFEST_FORMAT,
    name: build.name,
    kernel: { file: "kernel", ...(yield* storage(kernelPath, () => hashFile(kernelPath))) },
    kernelFormat: kernel.kind,
    initrd: { file: "initrd", ...(yield* storage(initrdPath, () => hashFile(initrdPath))) },
    append: APPEND,
    origin: {
      kind: "debian",
      suite: build.suite,
      packages: packages.map(({ name, version, architecture, sha256 }) => ({ name, version, architecture, sha256 })),
      kernelRelease,
    },
  }
})

/** The package with the kernel itself, which the package `linux-image-riscv64` depends on. */
const findKernel = Effect.fnUntraced(function* (apt: Apt): Effect.fn.Return<DebianPackage, BuildError> {
  const pointer = yield* apt.find(KERNEL_PACKAGE)
  const name = pointer.depends.find(each => each.startsWith("linux-image-"))
  return name === undefined ? pointer : yield* apt.find(name)
})

/** The modules an image needs, those they depend on before them. Names built into the kernel are left out. */
const collectModules = Effect.fnUntraced(function* (
  apt: Apt,
  packageName: string,
  root: string,
  kernelRelease: string,
): Effect.fn.Return<readonly KernelModule[], BuildError> {
  const [directory, files] = yield* storage(root, async () => {
    for (const lib of ["usr/lib", "lib"]) {
      const path = join(root, lib, "modules", kernelRelease)
      const names = await readdir(path, { recursive: true }).catch(() => undefined)
      if (names !== undefined) return [path, names.sort()] as const
    }
    return [root, [] as string[]] as const
  })
  const paths = new Map(files.filter(name => /\.ko(?:\.\w+)?$/.test(name)).map(name => [moduleName(name), name]))
  const builtinText = yield* storage(directory, () =>
    readFile(join(directory, "modules.builtin"), "utf8").catch(() => ""),
  )
  const builtin = new Set(builtinText.split("\n").map(moduleName))

  const collected = new Map<string, KernelModule>()
  const pending = [...MODULES]
  const asked = new Set<string>()
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (asked.has(name) || builtin.has(name)) continue
    asked.add(name)
    const path = paths.get(name)
    if (path === undefined) {
      return yield* new PackageUnusable({ packageName, problem: `it has no kernel module ${name}` })
    }
    const module = readKernelModule(path, yield* apt.readCompressed(join(directory, path)))
    if (module === undefined) {
      return yield* new PackageUnusable({ packageName, problem: `its kernel module ${name} is not for riscv64` })
    }
    collected.set(name, module)
    pending.push(...module.depends.map(each => each.replaceAll("-", "_")))
    // A soft dependency may be an alias, or missing altogether, and nothing fails.
    pending.push(...module.softDepends.map(each => softModule(each)).filter(each => paths.has(each)))
  }
  return [...collected.values()].sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
})

/** The module that provides the alias of a soft dependency; the generic implementation for one of the crypto layer. */
function softModule(alias: string): string {
  return `${alias.replace(/^crypto-/, "").replaceAll("-", "_")}${alias.startsWith("crypto-") ? "_generic" : ""}`
}

const readBusybox = Effect.fnUntraced(function* (
  packageName: string,
  root: string,
): Effect.fn.Return<{ binary: Uint8Array; applets: readonly string[] }, BuildError> {
  const binary = yield* storage(root, async () => {
    for (const bin of ["usr/bin", "bin"]) {
      const found = await readFile(join(root, bin, "busybox")).catch(() => undefined)
      if (found !== undefined) return found
    }
    return undefined
  })
  if (binary === undefined) return yield* new PackageUnusable({ packageName, problem: "it has no program busybox" })
  const applets = busyboxApplets(binary)
  const missing = NEEDED_APPLETS.find(name => !applets.includes(name))
  if (missing !== undefined) {
    return yield* new PackageUnusable({ packageName, problem: `its busybox has no command ${missing}` })
  }
  return { binary, applets }
})

/** Removes packages of earlier builds, except those in use now. */
const removeSuperseded = Effect.fnUntraced(function* (debs: readonly string[]): Effect.fn.Return<void, BuildError> {
  const directory = join(debs[0]!, "..")
  yield* storage(directory, async () => {
    for (const name of await readdir(directory)) {
      if (!debs.includes(join(directory, name))) await rm(join(directory, name), { recursive: true, force: true })
    }
  })
})

async function compress(archive: Uint8Array, compression: InitrdCompression): Promise<Uint8Array> {
  switch (compression) {
    case "none":
      return archive
    case "gzip":
      return promisify(gzip)(archive, { level: 9 })
    case "zstd":
      return promisify(zstdCompress)(archive, { params: { [constants.ZSTD_c_compressionLevel]: 19 } })
  }
}
