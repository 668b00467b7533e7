/**
 * A Linux kernel in guest memory, recognised by its boot image header, with its symbols; no debug information is needed, and the kernel
 * may stand at its first instruction or be running.
 *
 * Formats: the boot image header (Linux Documentation/arch/riscv/boot-image-header.rst), kallsyms, and of relocatable kernels the table
 * of relocations (System V ABI, Elf64_Rela with R_RISCV_RELATIVE of the RISC-V ELF psABI). Physical addresses are numbers, virtual ones
 * BigInts; lengths are in bytes.
 */
import { type Kallsyms, readKallsyms } from "./kallsyms.ts"
import type { GuestSymbol } from "./symbol-table.ts"

/** Reads guest physical memory, as a copy or a view that is looked at before anything runs on; null where there is none. */
export type ReadPhysical = (address: number, length: number) => Uint8Array | null

/** Where a kernel's image lies, for as long as it runs: `virtual` and `physical` are addresses of its first byte, `_start`. */
export interface KernelMapping {
  readonly virtual: bigint
  readonly physical: number
  readonly bytes: number
}

export interface LinuxKernel {
  /** By virtual address. */
  readonly symbols: readonly GuestSymbol[]
  readonly mapping: KernelMapping
  /** How far the kernel moved itself from the virtual address it was linked for (KASLR); 0 where memory does not show it (yet). */
  readonly moved: bigint
}

/** Boot loaders put a kernel on such a boundary, as its page tables want it. */
const STEP = 2 << 20
const HEADER_BYTES = 64
const PAGE_BYTES = 4096
const R_RISCV_RELATIVE = 3
/** Where 64-bit kernels that can move are linked: the last 2 GiB. */
const LINK_ADDRESS = 0xffff_ffff_8000_0000n
/** Virtual addresses of the kernel begin here. */
const KERNEL_HALF = 1n << 63n

/** The first kernel in RAM that has its symbols with it, or null. `ram` is the range of physical addresses to look in. */
export const findLinuxKernel = (
  read: ReadPhysical,
  ram: { readonly base: number; readonly bytes: number },
): LinuxKernel | null => {
  const end = ram.base + ram.bytes
  for (let physical = Math.ceil(ram.base / STEP) * STEP; physical + HEADER_BYTES <= end; physical += STEP) {
    const header = read(physical, HEADER_BYTES)
    const bytes = header && imageSize(header)
    if (!bytes || physical + bytes > end) continue
    const kernel = kernelAt(read, physical, bytes)
    if (kernel) return kernel
  }
  return null
}

/** The physical address of a virtual one in a kernel's image, or null outside. */
export const kernelPhysical = (mapping: KernelMapping, virtual: bigint): number | null => {
  const offset = virtual - mapping.virtual
  return offset >= 0n && offset < BigInt(mapping.bytes) ? mapping.physical + Number(offset) : null
}

/** The virtual address of a physical one in a kernel's image, or null outside: it executes there before it turns on translation. */
export const kernelVirtual = (mapping: KernelMapping, physical: bigint): bigint | null => {
  const offset = physical - BigInt(mapping.physical)
  return offset >= 0n && offset < BigInt(mapping.bytes) ? mapping.virtual + offset : null
}

/** Bytes of the image in memory, zeroed data included; 0 if this is no header. */
const imageSize = (header: Uint8Array): number => {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const isRiscv = view.getUint32(48, true) === 0x4353_4952 && view.getUint8(52) === 0x56
  const isNewRiscv = view.getUint32(56, true) === 0x0543_5352
  return isRiscv || isNewRiscv ? Number(view.getBigUint64(16, true)) : 0
}

const kernelAt = (read: ReadPhysical, physical: number, bytes: number): LinuxKernel | null => {
  // Symbols stand behind the code: memory that has to be fetched is mostly fetched by halves only.
  for (const start of [Math.floor(bytes / 2 / PAGE_BYTES) * PAGE_BYTES, 0]) {
    const part = read(physical + start, bytes - start)
    const found = part && readKallsyms(part)
    if (!found) continue
    const { relativeBase, relativeBaseAt } = found
    const base = relativeBase >= KERNEL_HALF ? relativeBase : unrelocated(read, physical, bytes, start + relativeBaseAt)
    return base === null ? null : kernelOf(found, base, { physical, bytes })
  }
  return null
}

const kernelOf = (found: Kallsyms, base: bigint, place: Omit<KernelMapping, "virtual">): LinuxKernel => {
  const symbols = found.names.map((name, at) => ({
    name,
    address: base + BigInt(found.offsets[at]!),
    type: found.types[at]!,
  }))
  // A kernel may list the symbols of its code only, and `_start` is no part of that: the first of them follows within one step.
  const first = symbols[0]!.address
  const virtual = symbols.find(({ name }) => name === "_start")?.address ?? first - (first % BigInt(STEP))
  return {
    symbols,
    mapping: { virtual, ...place },
    moved: virtual > LINK_ADDRESS ? virtual - LINK_ADDRESS : 0n,
  }
}

/** What a relocatable kernel is going to put at `position`: the relocation for that place has it. */
const unrelocated = (read: ReadPhysical, physical: number, bytes: number, position: number): bigint | null => {
  const image = read(physical, bytes)
  if (image === null) return null
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  for (let at = 0; at + 24 <= image.length; at += 8) {
    if (view.getUint32(at + 8, true) !== R_RISCV_RELATIVE || view.getUint32(at + 12, true) !== 0) continue
    const start = view.getBigUint64(at, true) - BigInt(position)
    const value = view.getBigUint64(at + 16, true)
    if (start >= KERNEL_HALF && start % BigInt(STEP) === 0n && value >= start && value < start + BigInt(image.length))
      return value
  }
  return null
}
