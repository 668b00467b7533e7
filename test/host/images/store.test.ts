import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib"
import { Effect, Fiber } from "effect"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type BuildProgress, ImageStore, readKernelFile } from "../../../src/host/images/index.ts"
import { elfFile, linuxImage } from "../../machine/elf-file.ts"
import { readCpio } from "./cpio-reader.ts"
import { FakeDebian } from "./fake-debian.ts"

let debian: FakeDebian
beforeEach(() => {
  debian = new FakeDebian()
})
afterEach(() => debian.close())

type Store = ImageStore["Service"]

function effect<A, E>(use: (store: Store) => Effect.Effect<A, E>): Effect.Effect<A, E> {
  return ImageStore.use(use).pipe(Effect.provide(ImageStore.layer(debian.home)))
}

function run<A, E>(use: (store: Store) => Effect.Effect<A, E>): Promise<A> {
  return Effect.runPromise(effect(use))
}

/** The error of an operation, which must be one sentence. */
async function failure<A, E extends { _tag: string; message: string }>(
  use: (store: Store) => Effect.Effect<A, E>,
): Promise<E> {
  const error = await Effect.runPromise(Effect.flip(effect(use)))
  expect(error.message).toMatch(/^\S.*[.?]$/)
  return error
}

const imageNames = () => readdirSync(join(debian.home, "images"))

/** Paths of all files left below a directory by work that did not finish. */
const leftovers = () =>
  readdirSync(debian.home, { recursive: true })
    .map(String)
    .filter(path => path.includes(".work-"))

describe("building from Debian's packages", () => {
  test("kernel, initrd and manifest", async () => {
    const progress: BuildProgress[] = []
    const image = await run(store => store.buildDebian({ onProgress: step => progress.push(step) }))
    expect(image).toMatchObject({ name: "debian", append: "console=ttyS0", disk: undefined })
    expect(new Uint8Array(readFileSync(image.kernel))).toEqual(linuxImage({ efiStub: true }))
    expect(image.manifest.origin).toMatchObject({
      kind: "debian",
      suite: "trixie",
      kernelRelease: "6.12.1-riscv64",
      packages: [
        { name: "linux-image-6.12.1-riscv64", version: "6.12.1-1" },
        { name: "busybox-static", version: "1:1.37.0-6" },
      ],
    })
    const files = readCpio(readFileSync(image.initrd!))
    const paths = files.map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining(["init", "bin/busybox", "bin/sh", "bin/sort", "dev/console", "dev/null"]),
    )
    expect(paths.filter(path => path.endsWith(".ko")).map(path => path.replace(/.*\//, ""))).toEqual([
      "crc32c_generic.ko",
      "ext4.ko",
      "jbd2.ko",
      "virtio-rng.ko",
      "virtio_blk.ko",
      "virtio_mmio.ko",
    ])
    expect([...new Set(progress.map(({ step }) => step))]).toEqual([
      "lists",
      "download",
      "unpack",
      "initramfs",
      "store",
    ])
    const last = progress.filter(({ step }) => step === "download").at(-1)!
    expect(last.done).toBe(last.total)
    expect(await run(store => store.inspect("debian"))).toEqual(image)
    expect(leftovers()).toEqual([])
  })

  test("the same packages give the same bytes, wherever they are built", async () => {
    const first = await run(store => store.buildDebian())
    const contents = () => readdirSync(first.directory).map(name => readFileSync(join(first.directory, name)))
    const before = contents()
    await run(store => store.buildDebian({ force: true }))
    expect(contents()).toEqual(before)
  })

  test("a compressed initrd has the same content", async () => {
    const plain = readFileSync((await run(store => store.buildDebian())).initrd!)
    const gzip = await run(store => store.buildDebian({ name: "small", compression: "gzip" }))
    expect(gunzipSync(readFileSync(gzip.initrd!))).toEqual(plain)
    const zstd = await run(store => store.buildDebian({ name: "smaller", compression: "zstd" }))
    expect(zstdDecompressSync(readFileSync(zstd.initrd!))).toEqual(plain)
  })

  test("the private apt takes the machine's mirror, key and network settings, and none of its hooks", async () => {
    await run(store => store.buildDebian())
    const directory = join(debian.home, "cache", "apt", "trixie")
    const sources = readFileSync(join(directory, "sources", "debian.sources"), "utf8")
    expect(sources).toContain("URIs: http://mirror.example/debian\nSuites: trixie\n")
    expect(sources).toContain("Signed-By: /keys/debian.gpg")
    const configuration = readFileSync(join(directory, "apt.conf"), "utf8")
    expect(configuration).toContain(`Acquire::http::Proxy "http://proxy.example:3128";`)
    expect(configuration).toContain(`APT::Architecture "riscv64";`)
    expect(configuration).not.toContain("Post-Invoke")
  })

  test("packages are fetched once", async () => {
    await run(store => store.buildDebian())
    debian.write("download-fails", "E: no more downloads")
    await run(store => store.buildDebian({ force: true }))
  })

  test.each([
    ["E: Failed to fetch http://mirror.example/x  Could not resolve 'mirror.example'", "MirrorUnreachable"],
    [
      "E: The repository 'http://mirror.example/debian trixie Release' does not have a Release file.",
      "MirrorUnreachable",
    ],
    ["W: GPG error: the following signatures couldn't be verified: NO_PUBKEY 0123", "SignatureRejected"],
    ["E: Write error - write (28: No space left on device)", "DiskFull"],
    ["E: The method driver /usr/lib/apt/methods/http could not be found.", "ProgramFailed"],
  ])("when fetching the lists says %j", async (said, tag) => {
    debian.write("update-fails", said)
    expect((await failure(store => store.buildDebian()))._tag).toBe(tag)
    expect(imageNames()).toEqual([])
  })

  test("without apt", async () => {
    debian.removePrograms()
    const error = await failure(store => store.buildDebian())
    expect(error).toMatchObject({ _tag: "AptMissing" })
    expect(error.message).toContain("cv image add")
  })

  test("a package that the suite does not have", async () => {
    debian.write("linux-image-riscv64.package", "")
    expect(await failure(store => store.buildDebian({ suite: "bookworm" }))).toMatchObject({
      _tag: "PackageNotFound",
      packageName: "linux-image-riscv64",
      suite: "bookworm",
    })
  })

  test("a package whose file is not the one in the index is not used and not kept", async () => {
    writeFileSync(join(debian.directory, "busybox-static.tar"), "something else")
    const error = await failure(store => store.buildDebian())
    expect(error._tag).toBe("ChecksumMismatch")
    expect(existsSync((error as unknown as { path: string }).path)).toBe(false)
    expect(imageNames()).toEqual([])
  })

  test("a kernel for another architecture, and one without the modules", async () => {
    debian.package("linux-image-6.12.1-riscv64", "6.12.1-1", {
      "boot/vmlinux-6.12.1-riscv64": elfFile({ machine: 62 }),
    })
    expect((await failure(store => store.buildDebian())).message).toContain("x86-64")
    debian.package("linux-image-6.12.2-riscv64", "6.12.2-1", { "boot/vmlinux-6.12.2-riscv64": linuxImage() })
    debian.package("linux-image-riscv64", "6.12.2-1", {}, "linux-image-6.12.2-riscv64")
    expect((await failure(store => store.buildDebian())).message).toContain("no kernel module")
  })

  test("an interrupted build leaves nothing and ends what it started", async () => {
    debian.write("download-hangs", "")
    const fiber = Effect.runFork(effect(store => store.buildDebian()))
    await expect.poll(() => existsSync(join(debian.directory, "hanging")), { timeout: 10_000 }).toBe(true)
    const started = performance.now()
    await Effect.runPromise(Fiber.interrupt(fiber))
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(imageNames()).toEqual([])
    expect(leftovers()).toEqual([])
  })

  test("what a killed build left is removed by the next one", async () => {
    const stale = join(debian.home, "images", ".work-999999999-debian-abcdef")
    mkdirSync(stale, { recursive: true })
    expect(await run(store => store.list())).toEqual([])
    await run(store => store.buildDebian())
    expect(imageNames()).toEqual(["debian"])
  })
})

describe("adding files", () => {
  test("they are copied, with checksums", async () => {
    const kernel = debian.write("Image", linuxImage())
    const initrd = debian.write("initrd.gz", gzipSync("archive"))
    const disk = debian.write("disk.raw", new Uint8Array(1024))
    const image = await run(store => store.add({ name: "mine", kernel, initrd, disk, append: "quiet" }))
    expect(image.append).toBe("quiet")
    expect(readFileSync(image.initrd!)).toEqual(readFileSync(initrd))
    expect(statSync(image.disk!).size).toBe(1024)
    writeFileSync(kernel, "changed afterwards")
    expect(await run(store => store.inspect("mine"))).toEqual(image)
  })

  test.each([
    ["a Linux Image", linuxImage(), "linux", "console=ttyS0"],
    ["its EFI stub form", linuxImage({ efiStub: true }), "linux", "console=ttyS0"],
    ["the same compressed", gzipSync(linuxImage()), "linux", "console=ttyS0"],
    [
      "an ELF executable",
      elfFile({ segments: [{ virtual: 0n, physical: 0x8000_0000n, data: new Uint8Array(4) }] }),
      "elf",
      "",
    ],
    ["raw machine code", new Uint8Array([0x6f, 0, 0, 0]), "raw", ""],
  ])("%s is accepted", async (_, bytes, kernelFormat, append) => {
    const image = await run(store => store.add({ name: "k", kernel: debian.write("kernel", bytes) }))
    expect(image.manifest).toMatchObject({ kernelFormat, append })
    expect((await Effect.runPromise(readKernelFile(image.kernel))).kind).toBe(kernelFormat)
  })

  test.each([
    ["another architecture", elfFile({ machine: 62 }), /x86-64/],
    ["a truncated Image", linuxImage({ efiStub: true }).subarray(0, 2000), /truncated/],
    ["a truncated gzip file", gzipSync(linuxImage()).subarray(0, 30), /truncated/],
    ["a damaged gzip file", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff]), /damaged/],
    ["something compressed twice", gzipSync(gzipSync(linuxImage())), /twice/],
    ["an empty file", new Uint8Array(0), /empty/],
  ])("%s is refused", async (_, bytes, sentence) => {
    const kernel = debian.write("kernel", bytes)
    const error = await failure(store => store.add({ name: "k", kernel }))
    expect(error).toMatchObject({ _tag: "KernelRejected", path: kernel })
    expect(error.message).toMatch(sentence)
    expect(imageNames()).toEqual([])
  })

  test("missing files and directories are named", async () => {
    const kernel = debian.write("Image", linuxImage())
    const missing = await failure(store => store.add({ name: "k", kernel: "/nowhere/Image" }))
    expect(missing.message).toBe("/nowhere/Image cannot be read: there is no such file; check the path.")
    const directory = await failure(store => store.add({ name: "k", kernel, disk: debian.directory }))
    expect(directory._tag).toBe("FileUnreadable")
    expect(imageNames()).toEqual([])
  })

  test("a name in use needs force, and a failure with force keeps the old image", async () => {
    const kernel = debian.write("Image", linuxImage())
    const first = await run(store => store.add({ name: "k", kernel }))
    expect((await failure(store => store.add({ name: "k", kernel })))._tag).toBe("ImageExists")
    await failure(store => store.add({ name: "k", kernel: "/nowhere", force: true }))
    expect(await run(store => store.inspect("k"))).toEqual(first)
    const second = await run(store => store.add({ name: "k", kernel, append: "other", force: true }))
    expect(await run(store => store.resolve("k"))).toEqual(second)
    expect(leftovers()).toEqual([])
  })

  test.each(["", ".", "../x", "a/b", ".hidden", "x".repeat(65)])("%j is no name", async name => {
    const kernel = debian.write("Image", linuxImage())
    expect((await failure(store => store.add({ name, kernel })))._tag).toBe("ImageNameInvalid")
    expect((await failure(store => store.remove(name)))._tag).toBe("ImageNameInvalid")
  })
})

describe("looking at images and removing them", () => {
  test("an empty store", async () => {
    expect(await run(store => store.list())).toEqual([])
    expect((await failure(store => store.resolve("debian"))).message).toContain("cv image build debian")
    expect((await failure(store => store.resolve("other"))).message).toContain("cv image ls")
    expect(existsSync(debian.home)).toBe(false)
  })

  test("the list, a mistyped name, and removal", async () => {
    const kernel = debian.write("Image", linuxImage())
    for (const name of ["zeta", "alpha"]) await run(store => store.add({ name, kernel }))
    expect((await run(store => store.list())).map(({ name }) => name)).toEqual(["alpha", "zeta"])
    expect(await failure(store => store.remove("zeat"))).toMatchObject({ _tag: "UnknownImage", near: ["zeta"] })
    await run(store => store.remove("zeta"))
    expect(imageNames()).toEqual(["alpha"])
  })

  test("damage is found, named, and does not keep an image from being removed", async () => {
    const kernel = debian.write("Image", linuxImage())
    const image = await run(store => store.add({ name: "k", kernel }))
    const bytes = readFileSync(image.kernel)
    bytes[100]! ^= 1
    writeFileSync(image.kernel, bytes)
    await run(store => store.resolve("k"))
    expect((await failure(store => store.inspect("k"))).message).toContain("checksum")
    truncateSync(image.kernel, 100)
    expect((await failure(store => store.resolve("k"))).message).toContain("100 bytes instead of 4096")
    writeFileSync(join(image.directory, "image.json"), "{}")
    expect((await failure(store => store.resolve("k")))._tag).toBe("ImageDamaged")
    expect(await run(store => store.list())).toMatchObject([{ name: "k", problem: { _tag: "ImageDamaged" } }])
    await run(store => store.remove("k"))
    expect(await run(store => store.list())).toEqual([])
  })

  test("a manifest cannot lead out of the image's directory", async () => {
    const kernel = debian.write("Image", linuxImage())
    const image = await run(store => store.add({ name: "k", kernel }))
    const manifest = JSON.parse(readFileSync(join(image.directory, "image.json"), "utf8"))
    manifest.kernel.file = "../../../Image"
    writeFileSync(join(image.directory, "image.json"), JSON.stringify(manifest))
    expect((await failure(store => store.resolve("k"))).message).toContain("outside")
  })
})
