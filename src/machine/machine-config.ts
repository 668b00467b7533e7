/** What a machine is made of. All contents are given as bytes: nothing here opens a file. */
import type { BlockBackend } from "../devices/index.ts"
import type { TranslationPolicy } from "../hart/translator/policy.ts"
import type { RegionCompilerMaker } from "../hart/translator/region-compiler.ts"
import type { KernelImage } from "./kernel-image.ts"

export type Firmware =
  /** The built-in SBI: the kernel starts in S-mode. */
  | { readonly kind: "builtin" }
  /** No firmware: the kernel starts in M-mode, as with QEMU's `-bios none`. */
  | { readonly kind: "none" }
  /** A program for M-mode at the start of RAM; the kernel, if any, is its payload. */
  | { readonly kind: "file"; readonly image: KernelImage }

export interface MachineConfig {
  /** 1 to 8. */
  readonly harts: number
  /** A multiple of 4096. */
  readonly ramBytes: number
  readonly firmware: Firmware
  readonly kernel: KernelImage | null
  readonly initrd: Uint8Array | null
  readonly bootArguments: string
  /** Up to six, in the order the guest sees them. Writes stay in the machine's state. */
  readonly disks: readonly BlockBackend[]
  /** What the real-time clock shows at virtual time zero. */
  readonly startTime: { readonly seconds: number; readonly nanoseconds: number }
  /** 32 bytes from the world's seed: the guest's first entropy and what virtio-rng gives come from it. */
  readonly seed: Uint8Array
  /** When code is translated: nothing that a guest can see. The default where absent, null for the interpreter alone. */
  readonly translation?: TranslationPolicy | null
  /** Who compiles what is translated; the machine itself where absent. */
  readonly compiler?: RegionCompilerMaker
}

/** Bytes of a page; where RAM begins, and the most of it that a machine can have. */
export { LINE_BYTES, LINES_PER_PAGE, PAGE_BYTES, RAM_BASE, RAM_BYTES_MAX } from "../hart/layout.ts"
export { defaultPolicy, policyNamed, type TranslationPolicy } from "../hart/translator/policy.ts"
export {
  buildRegions,
  type CompiledBatch,
  inlineCompiler,
  type RegionCompiler,
  type RegionCompilerMaker,
  type RegionJob,
} from "../hart/translator/region-compiler.ts"
export { type HelperTypes, REGION_MEMORY_PAGES } from "../hart/translator/region-module.ts"
