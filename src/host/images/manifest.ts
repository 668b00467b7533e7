/** What `image.json` says about an image. The other files lie beside it in the image's directory. */
import { Schema } from "effect"

/** Version of the form of image.json. */
export const MANIFEST_FORMAT = 1

export const ImageFile = Schema.Struct({
  /** Name in the image's directory. */
  file: Schema.String,
  size: Schema.Number,
  /** Lower-case hexadecimal digits. */
  sha256: Schema.String,
})
export type ImageFile = typeof ImageFile.Type

/** Where an image's content is from. */
export const ImageOrigin = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("debian"),
    suite: Schema.String,
    packages: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        version: Schema.String,
        architecture: Schema.String,
        sha256: Schema.String,
      }),
    ),
    kernelRelease: Schema.String,
  }),
  Schema.Struct({
    kind: Schema.Literal("added"),
    /** Paths as given by the user. */
    kernel: Schema.String,
    initrd: Schema.optionalKey(Schema.String),
    disk: Schema.optionalKey(Schema.String),
  }),
])
export type ImageOrigin = typeof ImageOrigin.Type

export const ImageManifest = Schema.Struct({
  format: Schema.Literal(MANIFEST_FORMAT),
  name: Schema.String,
  kernel: ImageFile,
  /** The kernel's format, for a gzip-compressed one that of its content. */
  kernelFormat: Schema.Literals(["linux", "elf", "raw"]),
  initrd: Schema.optionalKey(ImageFile),
  disk: Schema.optionalKey(ImageFile),
  /** Kernel command line unless the user gives another. */
  append: Schema.String,
  origin: ImageOrigin,
})
export type ImageManifest = typeof ImageManifest.Type

/** The content of image.json. The same manifest gives the same text. */
export function manifestText(manifest: ImageManifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

/** Every file the manifest names. */
export function manifestFiles(manifest: ImageManifest): readonly ImageFile[] {
  return [manifest.kernel, manifest.initrd, manifest.disk].filter(file => file !== undefined)
}
