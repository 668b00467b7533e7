/**
 * Loading and starting: kernel, firmware, initrd and device tree into RAM, registers as the kernel or firmware expects them.
 * Linux Documentation/arch/riscv/boot.rst; OpenSBI docs/firmware/fw_dynamic.md; addresses as QEMU's `virt` chooses them.
 */

import type { HartCore } from "../hart/hart-core.ts"
import { RAM_BASE } from "../hart/layout.ts"
import { menvcfg, mip, mstatus, privilege } from "../riscv/csr.ts"
import { cause } from "../riscv/trap.ts"
import type { Board } from "./board.ts"
import { boardDeviceTree, encodeDeviceTree } from "./device-tree/index.ts"
import { fits, type KernelImage, placeKernel } from "./kernel-image.ts"
import type { MachineConfig } from "./machine-config.ts"
import type { Ram } from "./ram.ts"

const MEBIBYTE = 0x100000
/** Where fw_dynamic finds what to start next: in the boot ROM, where QEMU puts it. */
const DYNAMIC_INFO_OFFSET = 0x28
/** What is written into the boot ROM lies within these bytes. */
export const BOOT_ROM_BYTES = 0x100
const ROM_BASE = 0x1000
const OPENSBI_MAGIC = 0x4942534f

/** Where a payload starts when firmware owns the first 2 MiB. */
const FIRMWARE_BYTES = 2 * MEBIBYTE

interface Addresses {
  /** First instruction. */
  readonly entry: number
  /** First instruction of firmware's payload. */
  readonly payload: number
  readonly deviceTree: number
}

/** A sentence saying why this machine cannot be started, or null. */
export const bootProblem = (config: MachineConfig): string | null => {
  const { firmware, kernel, initrd, ramBytes } = config
  if (firmware.kind === "file") {
    const problem = fits(firmware.image, ramBytes, false)
    if (problem) return problem.sentence
  }
  if (kernel) {
    const problem = fits(kernel, ramBytes, firmware.kind !== "none")
    if (problem) return problem.sentence
  } else if (firmware.kind !== "file") return "There is nothing to start; name a kernel or give --firmware a file."
  const reserved = kernel ? placeKernel(kernel, firmware.kind !== "none").end - RAM_BASE : FIRMWARE_BYTES
  if (initrd && initrdAddress(config) + initrd.length > deviceTreeAddress(ramBytes))
    return `The initrd of ${Math.ceil(initrd.length / MEBIBYTE)} MiB does not fit beside the kernel; give the machine more RAM with -m.`
  if (RAM_BASE + reserved > deviceTreeAddress(ramBytes))
    return "The machine has no room for its device tree; give it more RAM with -m."
  return null
}

/** The device tree goes to the last 2 MiB boundary below the end of RAM (or below 3 GiB). */
const deviceTreeAddress = (ramBytes: number): number => {
  const end = RAM_BASE + Math.min(ramBytes, 0x40000000)
  const aligned = Math.floor((end - 0x10000) / (2 * MEBIBYTE)) * (2 * MEBIBYTE)
  return Math.max(aligned, RAM_BASE + 0x8000, ramBytes < 4 * MEBIBYTE ? end - 0x4000 : 0)
}

/** The initrd goes half-way into RAM, at most 128 MiB from its start, and behind the kernel. */
const initrdAddress = (config: MachineConfig): number => {
  const wanted = RAM_BASE + Math.min(config.ramBytes / 2, 128 * MEBIBYTE)
  const kernelEnd = config.kernel ? placeKernel(config.kernel, config.firmware.kind !== "none").end : 0
  return Math.ceil(Math.max(wanted, kernelEnd) / 4096) * 4096
}

/** What a part of memory is loaded from. */
export type LoadedFrom = "kernel" | "firmware" | "initrd"

/** Bytes that are put into memory, and where they lie in the file they come from. */
export interface LoadedPart {
  readonly address: number
  readonly data: Uint8Array
  /** null: they come from no file. */
  readonly from: LoadedFrom | null
  readonly offset: number
}

/** What lies behind the data of a segment is zero already. */
const partsOf = (image: KernelImage, behindFirmware: boolean, from: LoadedFrom): readonly LoadedPart[] =>
  placeKernel(image, behindFirmware).segments.map(({ address, data }) => {
    const isOfFile = data.buffer === image.bytes.buffer
    return { address, data, from: isOfFile ? from : null, offset: data.byteOffset - image.bytes.byteOffset }
  })

/** All that is put into memory, in this order, and the addresses in it. */
const planOf = (given: MachineConfig, board: Board) => {
  // What is read when it is looked at is read once.
  const config = { ...given }
  const { firmware, kernel, initrd } = config
  const behindFirmware = firmware.kind !== "none"
  const kernelEntry = kernel ? placeKernel(kernel, behindFirmware).entry : RAM_BASE + FIRMWARE_BYTES
  const entry = firmware.kind === "file" ? placeKernel(firmware.image, false).entry : kernelEntry
  const initrdStart = initrdAddress(config)
  const deviceTree = encodeDeviceTree(
    boardDeviceTree({
      harts: config.harts,
      memoryBytes: config.ramBytes,
      devices: board.placed,
      bootArguments: config.bootArguments,
      ...(initrd ? { initrd: { start: initrdStart, end: initrdStart + initrd.length } } : {}),
      rngSeed: config.seed,
    }),
  )
  const addresses = { entry, payload: kernelEntry, deviceTree: deviceTreeAddress(config.ramBytes) }
  const parts: readonly LoadedPart[] = [
    ...(kernel ? partsOf(kernel, behindFirmware, "kernel") : []),
    ...(firmware.kind === "file" ? partsOf(firmware.image, false, "firmware") : []),
    ...(initrd ? [{ address: initrdStart, data: initrd, from: "initrd" as const, offset: 0 }] : []),
    { address: addresses.deviceTree, data: deviceTree, from: null, offset: 0 },
  ]
  return { parts, addresses }
}

/** All that a machine finds in its memory at the beginning, in the order in which it is put there. */
export const loadedParts = (config: MachineConfig, board: Board): readonly LoadedPart[] => planOf(config, board).parts

/** Puts everything in memory and sets every hart to its first instruction. RAM is zero before. */
export const boot = (config: MachineConfig, core: HartCore, ram: Ram, board: Board): void => {
  const { parts, addresses } = planOf(config, board)
  for (const { address, data } of parts) ram.write(address, data)
  writeRom(core, addresses)
  const { firmware } = config
  for (let hart = 0; hart < config.harts; hart++) {
    resetHart(core, hart)
    if (firmware.kind === "builtin") enterSupervisor(core, hart)
    start(core, hart, addresses.entry, addresses.deviceTree)
    core.registersChanged(hart)
  }
}

/** `struct fw_dynamic_info`, six 64-bit words: magic, version 2, next address, next mode S, options, preferred hart. */
const writeRom = (core: HartCore, { payload }: Addresses): void => {
  const rom = core.rom
  const view = new DataView(rom.buffer, rom.byteOffset, rom.length)
  const words = [OPENSBI_MAGIC, 2, payload, privilege.supervisor, 0, 0]
  for (const [position, word] of words.entries())
    view.setBigUint64(DYNAMIC_INFO_OFFSET + position * 8, BigInt(word), true)
}

const guestRegisters = [
  "mie",
  "mip",
  "medeleg",
  "mideleg",
  "mtvec",
  "mepc",
  "mcause",
  "mtval",
  "mscratch",
  "mcounteren",
  "menvcfg",
  "stvec",
  "sepc",
  "scause",
  "stval",
  "sscratch",
  "scounteren",
  "senvcfg",
  "satp",
  "stimecmp",
  "pmpcfg0",
  "pmpcfg2",
  "fflags",
  "frm",
] as const

/** Reset state. RISC-V privileged ISA, section 3.4. */
const resetHart = (core: HartCore, hart: number): void => {
  for (const name of guestRegisters) core.set(hart, name, 0)
  for (let register = 0; register < 32; register++) core.set(hart, "x", 0, register)
  for (let register = 0; register < 32; register++) core.set(hart, "f", 0, register)
  for (let entry = 0; entry < 16; entry++) core.set(hart, "pmpaddr", 0, entry)
  core.set(hart, "privilege", privilege.machine)
  core.set(hart, "builtinSbi", 0)
  core.setBig(hart, "mstatus", mstatus.XLEN)
  core.dropReservation(hart)
}

/** What M-mode firmware does before it hands over to a supervisor: delegate, open counters and memory. */
const enterSupervisor = (core: HartCore, hart: number): void => {
  core.set(hart, "builtinSbi", 1)
  core.set(hart, "privilege", privilege.supervisor)
  core.setBig(hart, "medeleg", 0xb3ffn & ~(1n << BigInt(cause.ecallFromS)))
  core.setBig(hart, "mideleg", mip.SSIP | mip.STIP | mip.SEIP)
  core.set(hart, "mcounteren", 7)
  core.set(hart, "scounteren", 7)
  core.setBig(hart, "menvcfg", menvcfg.STCE)
  core.setBig(hart, "stimecmp", -1n)
  core.set(hart, "pmpcfg0", 0x1f)
  core.setBig(hart, "pmpaddr", (1n << 54n) - 1n, 0)
}

/** pc and the arguments every kernel and firmware takes: its hart and the device tree. */
const start = (core: HartCore, hart: number, entry: number, deviceTree: number): void => {
  core.set(hart, "pc", entry)
  core.set(hart, "x", hart, 10)
  core.set(hart, "x", deviceTree, 11)
  core.set(hart, "x", core.get(hart, "builtinSbi") ? 0 : ROM_BASE + DYNAMIC_INFO_OFFSET, 12)
}
