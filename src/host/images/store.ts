/**
 * The images on this computer: directories `<home>/images/NAME`, each with `image.json` and the files it names. An image appears
 * and disappears as a whole: it is put together in a work directory and renamed.
 */
import { constants } from "node:fs"
import { access, copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Context, Effect, Layer, Schema } from "effect"
import { nearNames } from "../../machine/near-names.ts"
import { type BuildProgress, buildDebian, type InitrdCompression } from "./debian.ts"
import {
  type BuildError,
  type FileUnreadable,
  type HostFileError,
  ImageDamaged,
  ImageExists,
  ImageNameInvalid,
  type KernelRejected,
  UnknownImage,
} from "./errors.ts"
import { hashFile, reading, reason, storage, syncDirectory, withWorkDirectory } from "./files.ts"
import { readKernelFile } from "./kernel-file.ts"
import { type ImageFile, ImageManifest, MANIFEST_FORMAT, manifestFiles, manifestText } from "./manifest.ts"

/** An image ready to be started; paths are absolute. */
export type Image = {
  readonly name: string
  readonly directory: string
  readonly kernel: string
  readonly initrd: string | undefined
  /** To be copied, never written to. */
  readonly disk: string | undefined
  readonly append: string
  readonly manifest: ImageManifest
}

/** A line of the list of images. A damaged image has a problem in place of a manifest. */
export type ImageListing =
  | { readonly name: string; readonly manifest: ImageManifest; readonly bytes: number }
  | { readonly name: string; readonly problem: ImageDamaged }

export type BuildDebianOptions = {
  readonly name?: string | undefined
  readonly suite?: string | undefined
  readonly compression?: InitrdCompression | undefined
  readonly force?: boolean | undefined
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined
}

export type AddOptions = {
  readonly name: string
  readonly kernel: string
  readonly initrd?: string | undefined
  readonly disk?: string | undefined
  readonly append?: string | undefined
  readonly force?: boolean | undefined
}

type NameError = ImageNameInvalid | ImageExists
type LookupError = ImageNameInvalid | UnknownImage | HostFileError

export class ImageStore extends Context.Service<
  ImageStore,
  {
    /** Builds an image from Debian's packages; name `debian` and suite `trixie` unless told otherwise. */
    readonly buildDebian: (options?: BuildDebianOptions) => Effect.Effect<Image, BuildError | NameError>
    /** Copies files of the user into a new image. */
    readonly add: (
      options: AddOptions,
    ) => Effect.Effect<Image, FileUnreadable | KernelRejected | NameError | HostFileError>
    /** All images, sorted by name. */
    readonly list: () => Effect.Effect<readonly ImageListing[], HostFileError>
    /** Removes an image, also a damaged one. */
    readonly remove: (name: string) => Effect.Effect<void, LookupError>
    /** The image after every file of it was compared with its checksum. */
    readonly inspect: (name: string) => Effect.Effect<Image, LookupError | ImageDamaged>
    /** The image by name; its files are there with their sizes, checksums are not verified. */
    readonly resolve: (name: string) => Effect.Effect<Image, LookupError | ImageDamaged>
  }
>()("chronovisor/host/images/ImageStore") {
  /** The store below a home directory (see `resolveHome`). Nothing is created until the first image is. */
  static layer(home: string): Layer.Layer<ImageStore> {
    return Layer.succeed(ImageStore, makeImageStore(home))
  }
}

const MANIFEST = "image.json"
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const DEFAULT_APPEND = "console=ttyS0"

function makeImageStore(home: string): ImageStore["Service"] {
  const images = join(home, "images")
  const directoryOf = (name: string) => join(images, name)

  const names = storage(images, async () => {
    const entries = await readdir(images, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return []
      throw cause
    })
    return entries
      .filter(entry => entry.isDirectory() && NAME.test(entry.name))
      .map(entry => entry.name)
      .sort()
  })

  const checkName = (name: string) => (NAME.test(name) ? Effect.void : Effect.fail(new ImageNameInvalid({ name })))

  const checkFree = Effect.fnUntraced(function* (name: string, force: boolean | undefined) {
    yield* checkName(name)
    if (force !== true && (yield* names).includes(name)) return yield* new ImageExists({ name })
  })

  const checkKnown = Effect.fnUntraced(function* (name: string) {
    yield* checkName(name)
    const known = yield* names
    if (!known.includes(name)) return yield* new UnknownImage({ name, near: nearNames(name, known) })
  })

  const readManifest = Effect.fnUntraced(function* (name: string) {
    const text = yield* Effect.tryPromise({
      try: () => readFile(join(directoryOf(name), MANIFEST), "utf8"),
      catch: cause => new ImageDamaged({ name, problem: `${MANIFEST} cannot be read, ${reason(cause)}` }),
    })
    const manifest = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(ImageManifest))(text).pipe(
      Effect.mapError(
        () => new ImageDamaged({ name, problem: `${MANIFEST} is not an image's manifest of this version` }),
      ),
    )
    if (manifestFiles(manifest).some(({ file }) => !NAME.test(file))) {
      return yield* new ImageDamaged({ name, problem: `${MANIFEST} names a file outside of the image` })
    }
    return manifest
  })

  const checkSize = Effect.fnUntraced(function* (name: string, { file, size }: ImageFile) {
    const found = yield* Effect.tryPromise({
      try: () => stat(join(directoryOf(name), file)),
      catch: cause => new ImageDamaged({ name, problem: `the file ${file} cannot be read, ${reason(cause)}` }),
    })
    if (found.size !== size) {
      return yield* new ImageDamaged({ name, problem: `the file ${file} has ${found.size} bytes instead of ${size}` })
    }
  })

  const imageOf = (name: string, manifest: ImageManifest): Image => {
    const directory = directoryOf(name)
    const path = (file: ImageFile | undefined) => (file === undefined ? undefined : join(directory, file.file))
    return {
      name,
      directory,
      kernel: join(directory, manifest.kernel.file),
      initrd: path(manifest.initrd),
      disk: path(manifest.disk),
      append: manifest.append,
      manifest,
    }
  }

  const resolve = Effect.fnUntraced(function* (name: string) {
    yield* checkKnown(name)
    const manifest = yield* readManifest(name)
    for (const file of manifestFiles(manifest)) yield* checkSize(name, file)
    return imageOf(name, manifest)
  })

  const inspect = Effect.fnUntraced(function* (name: string) {
    const image = yield* resolve(name)
    for (const { file, sha256 } of manifestFiles(image.manifest)) {
      const actual = yield* Effect.tryPromise({
        try: () => hashFile(join(image.directory, file)),
        catch: cause => new ImageDamaged({ name, problem: `the file ${file} cannot be read, ${reason(cause)}` }),
      })
      if (actual.sha256 !== sha256) {
        const problem = `the file ${file} has the SHA-256 checksum ${actual.sha256} instead of ${sha256}`
        return yield* new ImageDamaged({ name, problem })
      }
    }
    return image
  })

  const list = Effect.fnUntraced(function* () {
    const listings: ImageListing[] = []
    for (const name of yield* names) {
      const listing = yield* readManifest(name).pipe(
        Effect.map(manifest => ({
          name,
          manifest,
          bytes: manifestFiles(manifest).reduce((sum, { size }) => sum + size, 0),
        })),
        Effect.catchTag("ImageDamaged", problem => Effect.succeed({ name, problem })),
      )
      listings.push(listing)
    }
    return listings
  })

  /** Moves a directory out of sight in one step, then deletes it. */
  const discard = (name: string) =>
    withWorkDirectory(directoryOf(name), work =>
      storage(directoryOf(name), () => rename(directoryOf(name), join(work, "discarded"))),
    )

  const remove = Effect.fnUntraced(function* (name: string) {
    yield* checkKnown(name)
    yield* discard(name)
  })

  /** Lets `fill` put an image's files into a work directory, and makes that the image. */
  const create = <E>(
    name: string,
    force: boolean | undefined,
    fill: (directory: string) => Effect.Effect<ImageManifest, E>,
  ): Effect.Effect<Image, E | NameError | HostFileError> =>
    Effect.gen(function* () {
      yield* checkFree(name, force)
      return yield* withWorkDirectory(directoryOf(name), work =>
        Effect.gen(function* () {
          const content = join(work, "content")
          yield* storage(content, () => mkdir(content))
          const manifest = yield* fill(content)
          yield* storage(content, async () => {
            await writeFile(join(content, MANIFEST), manifestText(manifest))
            await syncDirectory(content)
          })
          yield* checkFree(name, force)
          yield* Effect.uninterruptible(
            storage(directoryOf(name), async () => {
              await rename(directoryOf(name), join(work, "replaced")).catch((cause: NodeJS.ErrnoException) => {
                if (cause.code !== "ENOENT") throw cause
              })
              await rename(content, directoryOf(name))
            }),
          )
          return imageOf(name, manifest)
        }),
      )
    })

  const build = (options: BuildDebianOptions = {}) => {
    const { name = "debian", suite = "trixie", compression = "none", force, onProgress = () => {} } = options
    const cacheDirectory = join(home, "cache", "apt", encodeURIComponent(suite))
    return create(name, force, targetDirectory =>
      buildDebian({ name, suite, compression, cacheDirectory, targetDirectory, onProgress }),
    )
  }

  const copyIn = Effect.fnUntraced(function* (source: string, directory: string, file: string) {
    yield* reading(source, async () => {
      if (!(await stat(source)).isFile()) throw Object.assign(new Error("it is not a regular file"))
      await access(source, constants.R_OK)
    })
    const target = join(directory, file)
    yield* storage(target, () => copyFile(source, target, constants.COPYFILE_FICLONE))
    return { file, ...(yield* storage(target, () => hashFile(target))) }
  })

  const add = (options: AddOptions) =>
    create(options.name, options.force, directory =>
      Effect.gen(function* () {
        const { kernel: kernelPath, initrd, disk } = options
        const { kind } = yield* readKernelFile(kernelPath)
        const kernel = yield* copyIn(kernelPath, directory, "kernel")
        return {
          format: MANIFEST_FORMAT,
          name: options.name,
          kernel,
          kernelFormat: kind,
          ...(initrd === undefined ? {} : { initrd: yield* copyIn(initrd, directory, "initrd") }),
          ...(disk === undefined ? {} : { disk: yield* copyIn(disk, directory, "disk") }),
          append: options.append ?? (kind === "linux" ? DEFAULT_APPEND : ""),
          origin: {
            kind: "added",
            kernel: kernelPath,
            ...(initrd === undefined ? {} : { initrd }),
            ...(disk === undefined ? {} : { disk }),
          },
        } satisfies ImageManifest
      }),
    )

  return { buildDebian: build, add, list, remove, inspect, resolve }
}
