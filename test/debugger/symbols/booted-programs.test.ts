import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bootedFirmware, bootedKernel } from "../../../src/debugger/symbols/booted-programs.ts"
import { type KernelImage, placeKernel, readKernelImage } from "../../../src/machine/kernel-image.ts"
import { buildLinuxProgram, hasCompiler, noCompiler } from "./guest.ts"

const imageOf = (bytes: Uint8Array): KernelImage => {
  const result = readKernelImage(bytes)
  if (!result.ok || result.image.kind === "gzip") throw new Error("no image")
  return result.image
}

const raw = imageOf(new Uint8Array(64))
const hello = imageOf(
  new Uint8Array(readFileSync(join(import.meta.dirname, "../../../scenarios/guests/hello/hello.elf"))),
)
const none = { kind: "none" } as const

const bootedPrograms = (config: Parameters<typeof bootedKernel>[0]) => ({
  firmware: bootedFirmware(config),
  kernel: bootedKernel(config),
})

describe("the programs a machine was booted from", () => {
  it("are its kernel and its firmware, where they are ELF files", () => {
    const both = bootedPrograms({ firmware: { kind: "file", image: hello }, kernel: hello })
    expect(both.firmware?.find("_start")?.address).toBe(0x8000_0000n)
    expect(both.kernel?.find("_start")?.address).toBe(0x8000_0000n)
    expect(bootedPrograms({ firmware: { kind: "file", image: raw }, kernel: raw })).toEqual({
      firmware: null,
      kernel: null,
    })
    expect(bootedPrograms({ firmware: none, kernel: null })).toEqual({ firmware: null, kernel: null })
  })

  it("lie where the machine puts them", ({ skip }) => {
    if (!hasCompiler) return skip(noCompiler)
    const text = "int begin(void) { return 1; }"
    const program = buildLinuxProgram(text, "-pie", "-fpie", "-nostdlib", "-ffreestanding", "-Wl,-e,begin")
    const image = imageOf(program.bytes)
    const asFirmware = bootedPrograms({ firmware: { kind: "file", image }, kernel: null }).firmware
    expect(Number(asFirmware?.find("begin")?.address)).toBe(placeKernel(image, false).entry)
    for (const firmware of [none, { kind: "builtin" }] as const) {
      const { kernel } = bootedPrograms({ firmware, kernel: image })
      expect(Number(kernel?.find("begin")?.address)).toBe(placeKernel(image, firmware.kind !== "none").entry)
    }
  })
})
