/**
 * What a kernel or firmware file is, and where its bytes go in guest memory.
 *
 * Formats: the Linux boot image for RISC-V (Linux Documentation/arch/riscv/boot-image-header.rst), plain or with the EFI stub's
 * PE header (PE/COFF specification, sections 2 and 3); 64-bit little-endian ELF for RISC-V; gzip (RFC 1952) of any of them,
 * recognised here and unpacked by the caller; everything else is raw: machine code from its first byte.
 * Sizes are in bytes, addresses are guest physical addresses.
 */
import { type ElfFile, elfPhysicalAddress, elfSymbol, isElf, readElf } from "./elf.ts"

/** First byte of guest RAM. */
const RAM_BASE = 0x8000_0000
/** Where a raw payload goes when firmware occupies the start of RAM; also what Linux asks for in its header. */
const PAYLOAD_OFFSET = 0x20_0000

export type LinuxImage = {
  readonly kind: "linux"
  readonly bytes: Uint8Array
  /** Distance of the load address from the start of RAM. */
  readonly textOffset: number
  /** Memory the kernel occupies from its load address on, uninitialised data included. */
  readonly imageSize: number
  readonly headerVersion: { readonly major: number; readonly minor: number }
  /** True if the file is also an EFI application. */
  readonly efiStub: boolean
}

export type ElfImage = { readonly kind: "elf"; readonly bytes: Uint8Array; readonly file: ElfFile }
export type RawImage = { readonly kind: "raw"; readonly bytes: Uint8Array }
export type GzipImage = { readonly kind: "gzip"; readonly bytes: Uint8Array }

/** A kernel that can be placed in memory. */
export type KernelImage = LinuxImage | ElfImage | RawImage

/** Why a file cannot be started. `sentence` is complete and says what to do next. */
export type KernelProblem = {
  readonly tag:
    | "empty"
    | "truncated"
    | "other-architecture"
    | "elf32"
    | "big-endian"
    | "malformed"
    | "not-executable"
    | "compressed"
    | "not-a-kernel"
    | "too-large"
  readonly sentence: string
}

export type KernelResult =
  | { readonly ok: true; readonly image: KernelImage | GzipImage }
  | { readonly ok: false; readonly problem: KernelProblem }

/** Where the parts of a kernel go. Bytes from `data.length` to `memorySize` are zero. */
export type Placement = {
  /** Address of the first instruction. */
  readonly entry: number
  readonly segments: readonly { readonly address: number; readonly data: Uint8Array; readonly memorySize: number }[]
  /** First address after all segments. */
  readonly end: number
}

const LINUX_HEADER_BYTES = 64
const FLAG_BIG_ENDIAN = 1

/** Beginnings of files that are no kernel, so that a mixed-up argument is not started as raw machine code. */
const STRANGERS: readonly { magic: readonly number[]; tag: "compressed" | "not-a-kernel"; sentence: string }[] = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], tag: "compressed", sentence: compressed("xz", "xz -dk") },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], tag: "compressed", sentence: compressed("zstd", "zstd -dk") },
  { magic: [0x42, 0x5a, 0x68], tag: "compressed", sentence: compressed("bzip2", "bzip2 -dk") },
  { magic: [0x02, 0x21, 0x4c, 0x18], tag: "compressed", sentence: compressed("lz4", "lz4 -dk") },
  { magic: [0x04, 0x22, 0x4d, 0x18], tag: "compressed", sentence: compressed("lz4", "lz4 -dk") },
  {
    magic: [0x30, 0x37, 0x30, 0x37, 0x30],
    tag: "not-a-kernel",
    sentence: notKernel("a cpio archive", "pass it as the initrd"),
  },
  {
    magic: [0x51, 0x46, 0x49, 0xfb],
    tag: "not-a-kernel",
    sentence: notKernel("a qcow2 disk", "pass it as the disk, in raw form"),
  },
  {
    magic: [0xd0, 0x0d, 0xfe, 0xed],
    tag: "not-a-kernel",
    sentence: notKernel("a device tree", "pass the kernel instead"),
  },
  {
    magic: [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e],
    tag: "not-a-kernel",
    sentence: notKernel("an archive or a Debian package", "unpack it and pass the kernel in it"),
  },
]

/** The address at which a Linux Image is loaded, by its first 64 bytes; null where they are no such header. */
export function linuxLoadAddress(header: Uint8Array): number | null {
  if (header.length < LINUX_HEADER_BYTES || !hasLinuxMagic(header)) return null
  return RAM_BASE + uint64(new DataView(header.buffer, header.byteOffset, header.byteLength), 8)
}

const hasLinuxMagic = (bytes: Uint8Array): boolean => isText(bytes, 56, "RSC\x05") || isText(bytes, 48, "RISCV\0\0\0")

/** Recognises a kernel file by its content and checks that it is whole and made for RV64. */
export function readKernelImage(bytes: Uint8Array): KernelResult {
  if (bytes.length === 0) return fail("empty", "The file is empty; copy or build it again.")
  if (isElf(bytes)) return readElfKernel(bytes)
  if (startsWith(bytes, [0x1f, 0x8b])) return { ok: true, image: { kind: "gzip", bytes } }
  for (const stranger of STRANGERS) {
    if (startsWith(bytes, stranger.magic)) return fail(stranger.tag, stranger.sentence)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length >= LINUX_HEADER_BYTES) {
    if (hasLinuxMagic(bytes)) return readLinux(bytes, view)
    if (isText(bytes, 56, "ARM\x64")) return otherArchitecture("AArch64")
    if (isText(bytes, 4, "zimg")) {
      return fail(
        "compressed",
        "The file is an EFI zboot image, which unpacks itself; pass the Image it was made from.",
      )
    }
  }
  if (bytes.length >= 0x206 && isText(bytes, 0x202, "HdrS")) return otherArchitecture("x86-64")
  if (startsWith(bytes, [0x4d, 0x5a])) return readForeignPe(bytes, view)
  return { ok: true, image: { kind: "raw", bytes } }
}

/**
 * Where the kernel goes in memory. A raw image goes to the start of RAM, or behind the firmware if there is one.
 * Precondition: `fits` returned undefined for the RAM of the machine.
 */
export function placeKernel(image: KernelImage, behindFirmware: boolean): Placement {
  switch (image.kind) {
    case "linux":
      return contiguous(RAM_BASE + image.textOffset, image.bytes, image.imageSize)
    case "raw":
      return contiguous(RAM_BASE + (behindFirmware ? PAYLOAD_OFFSET : 0), image.bytes, image.bytes.length)
    case "elf": {
      const shift = elfShift(image.file, behindFirmware)
      const segments = image.file.segments
        .filter(segment => segment.memorySize > 0)
        .map(segment => ({
          address: Number(segment.physicalAddress) + shift,
          data: segment.data,
          memorySize: segment.memorySize,
        }))
      const end = segments.reduce((last, segment) => Math.max(last, segment.address + segment.memorySize), 0)
      return { entry: elfAddress(image.file, image.file.entry) + shift, segments, end }
    }
  }
}

/** The problem that keeps the kernel out of a machine with `ramBytes` of RAM, or undefined if it fits. */
export function fits(image: KernelImage, ramBytes: number, behindFirmware: boolean): KernelProblem | undefined {
  const { end, segments } = placeKernel(image, behindFirmware)
  const below = segments.find(segment => segment.address < RAM_BASE)
  if (below !== undefined) {
    const sentence = `The kernel is linked for address 0x${below.address.toString(16)}, where this machine has no RAM; link it for 0x80000000 or above.`
    return { tag: "too-large", sentence }
  }
  if (end <= RAM_BASE + ramBytes) return undefined
  const sentence = `The kernel needs ${sizeText(end - RAM_BASE)} of RAM and the machine has ${sizeText(ramBytes)}; give the machine more with -m.`
  return { tag: "too-large", sentence }
}

/** Physical address of a symbol of an ELF kernel, for example `tohost` or `begin_signature`; undefined if there is none. */
export function kernelSymbol(image: ElfImage, name: string, behindFirmware: boolean): number | undefined {
  const symbol = elfSymbol(image.file, name)
  if (symbol === undefined) return undefined
  return elfAddress(image.file, symbol.value) + elfShift(image.file, behindFirmware)
}

function elfAddress(file: ElfFile, virtualAddress: bigint): number {
  return Number(elfPhysicalAddress(file, virtualAddress) ?? virtualAddress)
}

/**
 * How far an ELF file is moved from where it was linked, in bytes: position-independent firmware is linked at 0 and relocates
 * itself, everything else stays.
 */
export function elfShift(file: ElfFile, behindFirmware: boolean): number {
  const lowest = file.segments.reduce((low, segment) => Math.min(low, Number(segment.physicalAddress)), Infinity)
  if (file.type !== "shared" || lowest >= RAM_BASE) return 0
  return RAM_BASE + (behindFirmware ? PAYLOAD_OFFSET : 0) - (lowest - (lowest % 0x1000))
}

function readElfKernel(bytes: Uint8Array): KernelResult {
  const result = readElf(bytes)
  if (!result.ok) return result
  const { file } = result
  if (file.type !== "executable" && file.type !== "shared") {
    const what = file.type === "relocatable" ? "an object file" : file.type === "core" ? "a core dump" : "no executable"
    return fail("not-executable", `The file is ${what}; link it into an executable first.`)
  }
  if (file.segments.length === 0)
    return fail("not-executable", "The file has nothing to load; link it into an executable first.")
  if (file.segments.some(segment => segment.physicalAddress > 0xff_ffff_ffff_ffffn)) {
    return fail(
      "malformed",
      "The file is linked for a physical address that does not exist; link it for 0x80000000 or above.",
    )
  }
  return { ok: true, image: { kind: "elf", bytes, file } }
}

function readLinux(bytes: Uint8Array, view: DataView): KernelResult {
  const flags = view.getUint32(24, true)
  if ((flags & FLAG_BIG_ENDIAN) !== 0) {
    return fail("big-endian", "The kernel is big-endian RISC-V; a little-endian one is needed.")
  }
  const peOffset = view.getUint32(60, true)
  const efiStub = startsWith(bytes, [0x4d, 0x5a]) && peOffset >= LINUX_HEADER_BYTES
  if (efiStub) {
    const end = peEnd(bytes, view, peOffset)
    if (end === undefined || end > bytes.length) {
      const needs =
        end === undefined ? "its EFI header is incomplete" : `it should have ${end} bytes and has ${bytes.length}`
      return fail("truncated", `The kernel is truncated: ${needs}; copy or build it again.`)
    }
  }
  const version = view.getUint32(32, true)
  const image: LinuxImage = {
    kind: "linux",
    bytes,
    textOffset: uint64(view, 8),
    imageSize: Math.max(uint64(view, 16), bytes.length),
    headerVersion: { major: version >>> 16, minor: version & 0xffff },
    efiStub,
  }
  return { ok: true, image }
}

function readForeignPe(bytes: Uint8Array, view: DataView): KernelResult {
  const peOffset = bytes.length >= 64 ? view.getUint32(60, true) : bytes.length
  if (peOffset + 6 > bytes.length || !isText(bytes, peOffset, "PE\0\0"))
    return { ok: true, image: { kind: "raw", bytes } }
  const machine = view.getUint16(peOffset + 4, true)
  const names: ReadonlyMap<number, string> = new Map([
    [0x14c, "i386"],
    [0x8664, "x86-64"],
    [0xaa64, "AArch64"],
    [0x1c2, "ARM"],
    [0x6264, "LoongArch"],
  ])
  const name = names.get(machine)
  if (name !== undefined) return otherArchitecture(name)
  return fail(
    "not-a-kernel",
    notKernel("an EFI application", "pass a Linux Image, an ELF executable or raw machine code"),
  )
}

/** End of the last section's bytes in a PE file, or undefined if the headers themselves are incomplete. */
function peEnd(bytes: Uint8Array, view: DataView, peOffset: number): number | undefined {
  if (peOffset + 24 > bytes.length || !isText(bytes, peOffset, "PE\0\0")) return undefined
  const sectionCount = view.getUint16(peOffset + 6, true)
  const table = peOffset + 24 + view.getUint16(peOffset + 20, true)
  if (table + sectionCount * 40 > bytes.length) return undefined
  let end = 0
  for (let index = 0; index < sectionCount; index++) {
    const at = table + index * 40
    end = Math.max(end, view.getUint32(at + 20, true) + view.getUint32(at + 16, true))
  }
  return end
}

function contiguous(address: number, data: Uint8Array, memorySize: number): Placement {
  return { entry: address, segments: [{ address, data, memorySize }], end: address + memorySize }
}

function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte)
}

function isText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text.charCodeAt(index)) return false
  return true
}

function sizeText(bytes: number): string {
  return bytes < 0x10_0000 ? `${bytes} bytes` : `${Math.ceil(bytes / 0x10_0000)} MiB`
}

function compressed(format: string, command: string): string {
  return `The file is compressed with ${format}; unpack it with \`${command}\` and pass the result.`
}

function notKernel(what: string, next: string): string {
  return `The file is ${what}, not a kernel; ${next}.`
}

function otherArchitecture(name: string): KernelResult {
  return fail("other-architecture", `The kernel is built for ${name}; a RISC-V (riscv64) one is needed.`)
}

function fail(tag: KernelProblem["tag"], sentence: string): KernelResult {
  return { ok: false, problem: { tag, sentence } }
}
