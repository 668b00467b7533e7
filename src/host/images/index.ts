/** Images: kernels with what they need to boot, kept in a store by name. */
export type { BuildProgress, BuildStep, InitrdCompression } from "./debian.ts"
export * from "./errors.ts"
export { readKernelFile } from "./kernel-file.ts"
export { ImageFile, ImageManifest, ImageOrigin, manifestFiles, manifestText } from "./manifest.ts"
export { type AddOptions, type BuildDebianOptions, type Image, type ImageListing, ImageStore } from "./store.ts"
