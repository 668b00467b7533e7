import { describe, expect, test } from "vitest"
import { findLinuxKernel, kernelPhysical, kernelVirtual } from "../../../src/debugger/symbols/linux-kernel.ts"
import { bootHeader, memoryWith, type SyntheticSymbol, syntheticImage } from "./synthetic-kernel.ts"

const LINK = 0xffff_ffff_8000_0000n
const layouts = ["5.10", "6.1", "6.2", "6.4"] as const

/** Enough for four groups of names, the last of them not full. */
const symbols: readonly SyntheticSymbol[] = [
  { name: "_start", type: "T", offset: 0 },
  { name: "_stext", type: "T", offset: 0x2000 },
  ...Array.from({ length: 900 }, (_, at) => ({
    name: [`sys_function_${at}`, `handle__state${at}.isra.${at % 7}`, `__key.${at % 5}`][at % 3]!,
    type: "TtDdRrBbW"[at % 9]!,
    offset: 0x2000 + Math.floor(at / 2) * 0x30,
  })),
  { name: "_end", type: "B", offset: 0x60_0000 },
]

const expected = (base: bigint, list = symbols) =>
  list.map(({ name, type, offset }) => ({ name, type, address: base + BigInt(offset) }))

describe("a kernel in memory", () => {
  test.each(layouts)("gives its symbols, in the layout of Linux %s", layout => {
    const image = syntheticImage({ symbols, layout })
    const { read, ram } = memoryWith({ 2097152: image })
    const kernel = findLinuxKernel(read, ram)!
    expect(kernel.symbols).toEqual(expected(LINK))
    expect(kernel.mapping).toEqual({ virtual: LINK, physical: 0x8020_0000, bytes: image.length })
    expect(kernel.moved).toBe(0n)
  })

  test.each(["6.1", "6.2", "6.4"] as const)("may have names of 128 bytes and more in Linux %s", layout => {
    const long = [127, 128, 200, 511].map((length, at) => ({
      name: "x".repeat(length - 1),
      type: "t",
      offset: 0x50_0000 + at,
    }))
    const list = [...symbols.slice(0, -1), ...long, symbols.at(-1)!]
    const { read, ram } = memoryWith({ 2097152: syntheticImage({ symbols: list, layout }) })
    expect(findLinuxKernel(read, ram)!.symbols).toEqual(expected(LINK, list))
  })

  test("is found where it lies, past images that have no symbols", () => {
    const other = new Uint8Array(0x1000)
    other.set(bootHeader(0x1000))
    const beyond = bootHeader(0x7000_0000)
    const image = syntheticImage({ symbols, layout: "6.4" })
    const { read, ram } = memoryWith({ 0: other, 2097152: beyond, 4194304: image })
    expect(findLinuxKernel(read, ram)!.mapping.physical).toBe(0x8040_0000)
  })

  test.each(layouts)("that has moved itself says how far, in Linux %s", layout => {
    const base = LINK + 0x1560_0000n
    const { read, ram } = memoryWith({ 2097152: syntheticImage({ symbols, layout, base }) })
    const kernel = findLinuxKernel(read, ram)!
    expect(kernel.symbols).toEqual(expected(base))
    expect(kernel.mapping.virtual).toBe(base)
    expect(kernel.moved).toBe(0x1560_0000n)
  })

  test.each(layouts)("that is going to relocate itself has the addresses it was linked for, in Linux %s", layout => {
    const { read, ram } = memoryWith({ 2097152: syntheticImage({ symbols, layout, relocatedLater: LINK }) })
    const kernel = findLinuxKernel(read, ram)!
    expect(kernel.symbols).toEqual(expected(LINK))
    expect(kernel.moved).toBe(0n)
  })

  test("was linked elsewhere before Linux 5.13", () => {
    const base = 0xffff_ffe0_0000_0000n
    const { read, ram } = memoryWith({ 2097152: syntheticImage({ symbols, layout: "5.10", base }) })
    const kernel = findLinuxKernel(read, ram)!
    expect(kernel.symbols).toEqual(expected(base))
    expect(kernel.moved).toBe(0n)
  })

  test.each(layouts)("may list the symbols of its code only, in Linux %s", layout => {
    const list = symbols.slice(1)
    for (const relocatedLater of [undefined, LINK]) {
      const { read, ram } = memoryWith({ 2097152: syntheticImage({ symbols: list, layout, relocatedLater }) })
      const kernel = findLinuxKernel(read, ram)!
      expect(kernel.symbols).toEqual(expected(LINK, list))
      expect(kernel.mapping.virtual).toBe(LINK)
    }
  })

  test("whose tables are damaged has no symbols", () => {
    const image = syntheticImage({ symbols, layout: "6.4" })
    // The length of the last name, before its type: what it says is now longer than what is there.
    image[Buffer.from(image).indexOf("B_end") - 1]! += 8
    const { read, ram } = memoryWith({ 2097152: image })
    expect(findLinuxKernel(read, ram)).toBeNull()
  })

  test("is not there in empty memory", () => {
    const { read, ram } = memoryWith({})
    expect(findLinuxKernel(read, ram)).toBeNull()
  })
})

test("addresses of an image are virtual and physical", () => {
  const mapping = { virtual: LINK, physical: 0x8020_0000, bytes: 0x1000 }
  expect(kernelPhysical(mapping, LINK + 0xfffn)).toBe(0x8020_0fff)
  expect(kernelPhysical(mapping, LINK + 0x1000n)).toBeNull()
  expect(kernelPhysical(mapping, LINK - 1n)).toBeNull()
  expect(kernelVirtual(mapping, 0x8020_0010n)).toBe(LINK + 0x10n)
  expect(kernelVirtual(mapping, 0x8020_1000n)).toBeNull()
  expect(kernelVirtual(mapping, 0x801f_ffffn)).toBeNull()
})
