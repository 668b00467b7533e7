import { gzipSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import { elfSection, readElf } from "../../src/machine/elf.ts"
import {
  type ElfImage,
  fits,
  type KernelImage,
  kernelSymbol,
  placeKernel,
  readKernelImage,
} from "../../src/machine/kernel-image.ts"
import { elfFile, linuxImage } from "./elf-file.ts"

const text = (value: string) => new TextEncoder().encode(value)
const code = new Uint8Array([0x6f, 0, 0, 0])
const segment = { virtual: 0x8000_0000n, physical: 0x8000_0000n, data: code }

function kernel(bytes: Uint8Array): KernelImage {
  const result = readKernelImage(bytes)
  if (!result.ok || result.image.kind === "gzip") throw new Error(`not a kernel: ${JSON.stringify(result)}`)
  return result.image
}

function problem(bytes: Uint8Array) {
  const result = readKernelImage(bytes)
  if (result.ok) throw new Error(`accepted as ${result.image.kind}`)
  expect(result.problem.sentence).toMatch(/^[A-Z].*\.$/)
  return result.problem
}

describe("Linux images", () => {
  test("the header is read", () => {
    const image = kernel(linuxImage({ size: 4096, imageSize: 9000 }))
    expect(image).toMatchObject({ kind: "linux", textOffset: 0x20_0000, imageSize: 9000, efiStub: false })
    expect(image).toMatchObject({ headerVersion: { major: 0, minor: 2 } })
    const placed = placeKernel(image, false)
    expect(placed).toMatchObject({ entry: 0x8020_0000, end: 0x8020_0000 + 9000 })
    expect(placed.segments).toEqual([{ address: 0x8020_0000, data: image.bytes, memorySize: 9000 }])
  })

  test("the EFI stub form is read", () => {
    expect(kernel(linuxImage({ efiStub: true }))).toMatchObject({ kind: "linux", efiStub: true })
  })

  test("every truncation of the EFI stub form is noticed", () => {
    const whole = linuxImage({ efiStub: true })
    for (const length of [64, 70, 88, 110, 1024, 4095]) {
      expect(problem(whole.subarray(0, length))).toMatchObject({ tag: "truncated" })
    }
  })

  test("an image size of 0, as old headers have it, means the size of the file", () => {
    expect(kernel(linuxImage({ size: 4096, imageSize: 0 }))).toMatchObject({ imageSize: 4096 })
  })

  test("a big-endian one is refused", () => {
    expect(problem(linuxImage({ flags: 1 })).tag).toBe("big-endian")
  })

  test("other architectures are named", () => {
    const arm = new Uint8Array(4096)
    arm.set(text("ARM\x64"), 56)
    expect(problem(arm)).toMatchObject({ tag: "other-architecture", sentence: expect.stringContaining("AArch64") })
    const bzImage = new Uint8Array(4096)
    bzImage.set(text("HdrS"), 0x202)
    expect(problem(bzImage).sentence).toContain("x86-64")
    const efi = new Uint8Array(4096)
    efi.set(text("MZ"), 0)
    efi[60] = 64
    efi.set([...text("PE\0\0"), 0x64, 0x86], 64)
    expect(problem(efi).sentence).toContain("x86-64")
  })
})

describe("ELF files", () => {
  test("segments go to their physical addresses and the entry follows", () => {
    const image = kernel(
      elfFile({
        entry: 0xffff_ffff_8000_0004n,
        segments: [
          { virtual: 0xffff_ffff_8000_0000n, physical: 0x8020_0000n, data: new Uint8Array(16), memorySize: 64 },
          { virtual: 0xffff_ffff_8000_1000n, physical: 0x8020_1000n, data: code },
        ],
      }),
    )
    const placed = placeKernel(image, true)
    expect(placed.entry).toBe(0x8020_0004)
    expect(placed.segments.map(each => [each.address, each.data.length, each.memorySize])).toEqual([
      [0x8020_0000, 16, 64],
      [0x8020_1000, 4, 4],
    ])
    expect(placed.end).toBe(0x8020_1004)
  })

  test("symbols are found", () => {
    const symbols = [
      { name: "tohost", value: 0x8000_1000n, size: 8 },
      { name: "begin_signature", value: 0x8000_2000n },
    ]
    const image = kernel(elfFile({ segments: [segment], symbols })) as ElfImage
    expect(kernelSymbol(image, "tohost", false)).toBe(0x8000_1000)
    expect(kernelSymbol(image, "begin_signature", false)).toBe(0x8000_2000)
    expect(kernelSymbol(image, "end_signature", false)).toBeUndefined()
  })

  test("position-independent firmware linked at 0 moves to RAM", () => {
    const shared = { type: 3, entry: 0n, segments: [{ virtual: 0n, physical: 0n, data: code }] }
    const image = kernel(elfFile({ ...shared, symbols: [{ name: "_fw_start", value: 0n }] })) as ElfImage
    expect(placeKernel(image, false)).toMatchObject({ entry: 0x8000_0000, end: 0x8000_0004 })
    expect(placeKernel(image, true).entry).toBe(0x8020_0000)
    expect(kernelSymbol(image, "_fw_start", false)).toBe(0x8000_0000)
  })

  test("sections are found by name", () => {
    const result = readElf(elfFile({ sections: [{ name: ".modinfo", data: text("name=x\0") }] }))
    expect(result.ok && elfSection(result.file, ".modinfo")).toEqual(text("name=x\0"))
    expect(result.ok && elfSection(result.file, ".text")).toBeUndefined()
  })

  test.each([
    ["x86-64", { machine: 62 }, "other-architecture", /x86-64/],
    ["AArch64", { machine: 183 }, "other-architecture", /AArch64/],
    ["big-endian PowerPC64", { machine: 21, byteOrder: 2 as const }, "other-architecture", /PowerPC64/],
    ["an unknown machine", { machine: 999 }, "other-architecture", /machine number 999/],
    ["32-bit", { elfClass: 1 as const }, "elf32", /32-bit/],
    ["big-endian", { byteOrder: 2 as const }, "big-endian", /big-endian/],
    ["an object file", { type: 1 }, "not-executable", /object file/],
  ])("%s is refused", (_, options, tag, sentence) => {
    expect(problem(elfFile({ segments: [segment], ...options }))).toMatchObject({
      tag,
      sentence: expect.stringMatching(sentence),
    })
  })

  test("a file without segments is refused", () => {
    expect(problem(elfFile()).tag).toBe("not-executable")
  })

  test("every truncation is noticed", () => {
    const whole = elfFile({ segments: [segment], symbols: [{ name: "tohost", value: 0n }] })
    for (let length = 4; length < whole.length; length++) {
      expect(problem(whole.subarray(0, length)).tag, `${length} bytes`).toBe("truncated")
    }
  })

  test("arbitrary damage to the headers never throws", () => {
    const whole = elfFile({ segments: [segment], symbols: [{ name: "tohost", value: 0n }] })
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const damaged = whole.slice()
        damaged[at] = value
        const result = readKernelImage(damaged)
        if (result.ok && result.image.kind === "elf") kernelSymbol(result.image, "tohost", false)
      }
    }
  })
})

describe("other files", () => {
  test("gzip is recognised, for the caller to unpack", () => {
    expect(readKernelImage(gzipSync(linuxImage()))).toMatchObject({ ok: true, image: { kind: "gzip" } })
  })

  test("anything without a known beginning is raw machine code", () => {
    const image = kernel(code)
    expect(image.kind).toBe("raw")
    expect(placeKernel(image, false).entry).toBe(0x8000_0000)
    expect(placeKernel(image, true).entry).toBe(0x8020_0000)
  })

  test.each([
    ["nothing", new Uint8Array(0), "empty"],
    ["xz", new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), "compressed"],
    ["zstd", new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]), "compressed"],
    ["an initramfs", text("070701000"), "not-a-kernel"],
    ["a device tree", new Uint8Array([0xd0, 0x0d, 0xfe, 0xed]), "not-a-kernel"],
    ["a Debian package", text("!<arch>\n"), "not-a-kernel"],
  ])("%s is refused", (_, bytes, tag) => {
    expect(problem(bytes).tag).toBe(tag)
  })
})

describe("fitting into RAM", () => {
  test("uninitialised data counts", () => {
    const image = kernel(linuxImage({ size: 4096, imageSize: 0x10_0000 }))
    expect(fits(image, 0x30_0000, false)).toBeUndefined()
    expect(fits(image, 0x30_0000 - 1, false)).toMatchObject({
      tag: "too-large",
      sentence: expect.stringContaining("3 MiB"),
    })
  })

  test("tiny RAM and addresses without RAM are refused", () => {
    expect(fits(kernel(code), 3, false)?.sentence).toContain("the machine has 3 bytes")
    expect(fits(kernel(code), 4, false)).toBeUndefined()
    const low = kernel(elfFile({ segments: [{ ...segment, physical: 0x1000n }] }))
    expect(fits(low, 1 << 20, false)?.sentence).toContain("0x1000")
  })
})
