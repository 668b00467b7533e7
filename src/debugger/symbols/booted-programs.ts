/** The programs that a machine was booted from, as far as their files are ELF files and name symbols. */
import { elfShift, type KernelImage } from "../../machine/kernel-image.ts"
import type { MachineConfig } from "../../machine/machine-config.ts"
import { ProgramUnusable } from "./errors.ts"
import { Program } from "./program.ts"

export interface BootedPrograms {
  readonly kernel: Program | null
  readonly firmware: Program | null
}

export const bootedPrograms = ({ firmware, kernel }: Pick<MachineConfig, "firmware" | "kernel">): BootedPrograms => ({
  kernel: kernel && programOf(kernel, firmware.kind !== "none"),
  firmware: firmware.kind === "file" ? programOf(firmware.image, false) : null,
})

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
