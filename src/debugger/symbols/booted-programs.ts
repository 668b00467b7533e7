/** The programs that a machine was booted from, as far as their files are ELF files and name symbols. */
import { elfShift, type KernelImage } from "../../machine/kernel-image.ts"
import type { MachineConfig } from "../../machine/machine-config.ts"
import { ProgramUnusable } from "./errors.ts"
import { Program } from "./program.ts"

/** The kernel, as far as it is an ELF file. */
export const bootedKernel = ({ firmware, kernel }: Pick<MachineConfig, "firmware" | "kernel">): Program | null =>
  kernel && programOf(kernel, firmware.kind !== "none")

/** The firmware, as far as it is an ELF file. */
export const bootedFirmware = ({ firmware }: Pick<MachineConfig, "firmware">): Program | null =>
  firmware.kind === "file" ? programOf(firmware.image, false) : null

const programOf = (image: KernelImage, behindFirmware: boolean): Program | null => {
  if (image.kind !== "elf") return null
  try {
    return new Program(image.bytes, BigInt(elfShift(image.file, behindFirmware)))
  } catch (cause) {
    // What boots need not be what a debugger can read.
    if (cause instanceof ProgramUnusable) return null
    throw cause
  }
}
