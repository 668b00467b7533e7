/** What gdb reads of the machine before anything else. */
import { describe, expect, it } from "vitest"
import { memoryMap } from "../../../src/debugger/gdb/memory-map.ts"
import { readGeneral, readRegister, registers } from "../../../src/debugger/gdb/registers.ts"
import { targetDescription } from "../../../src/debugger/gdb/target-description.ts"
import { parseThread } from "../../../src/debugger/gdb/threads.ts"
import { Inspection } from "../../../src/debugger/inspection.ts"
import { Machine } from "../../../src/machine/machine.ts"
import { embeddedKernel } from "../../machine/embedded-kernel.ts"

const inspection = new Inspection(
  new Machine({
    harts: 2,
    ramBytes: 16 << 20,
    firmware: { kind: "none" },
    kernel: embeddedKernel,
    initrd: null,
    bootArguments: "",
    disks: [],
    startTime: { seconds: 0, nanoseconds: 0 },
    seed: new Uint8Array(32),
  }),
)

describe("the registers", () => {
  it("are the machine's, every one with a name of its own and a value", () => {
    const names = registers.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.slice(0, 2)).toEqual(["zero", "ra"])
    expect(names[32]).toBe("pc")
    expect(names[33]).toBe("ft0")
    for (const name of ["satp", "stimecmp", "mhpmcounter31", "pmpaddr15", "mhartid", "priv"])
      expect(names).toContain(name)
    for (const [number, { name, bits }] of registers.entries())
      for (const hart of [0, 1]) {
        const digits = readRegister(inspection, hart, number)
        expect(digits, name).toMatch(new RegExp(`^[0-9a-f]{${bits / 4}}$`))
        const value = BigInt(`0x${digits!.match(/../g)!.reverse().join("")}`)
        expect(value, name).toBe(inspection.register(hart, name))
      }
  })

  it("up to fcsr are read at once", () => {
    const last = registers.findIndex(({ name }) => name === "fcsr")
    const each = registers.slice(0, last + 1).map((_, number) => readRegister(inspection, 1, number))
    expect(readGeneral(inspection, 1)).toBe(each.join(""))
  })
})

describe("the target description", () => {
  it("lists them in order, in the standard features", () => {
    const listed = [...targetDescription.matchAll(/<reg name="([^"]+)" bitsize="(\d+)"/g)]
    expect(listed.map(([, name, bits]) => `${name} ${bits}`)).toEqual(
      registers.map(({ name, bits }) => `${name} ${bits}`),
    )
    const features = [...targetDescription.matchAll(/<feature name="org\.gnu\.gdb\.riscv\.(\w+)">/g)].map(
      ([, name]) => name,
    )
    expect(features).toEqual(["cpu", "fpu", "csr", "virtual"])
    expect(targetDescription).toContain("<architecture>riscv:rv64</architecture>")
  })
})

describe("the memory map", () => {
  it("covers every address once", () => {
    const regions = [...memoryMap.matchAll(/start="0x([\da-f]+)" length="0x([\da-f]+)"/g)].map(([, start, length]) => ({
      start: BigInt(`0x${start}`),
      length: BigInt(`0x${length}`),
    }))
    let next = 0n
    for (const { start, length } of regions) {
      expect(start).toBe(next)
      expect(length).toBeLessThan(1n << 64n)
      next = start + length
    }
    expect(next).toBe(1n << 64n)
  })
})

it("threads are harts counted from one", () => {
  expect(["1", "2", "-1", "0", "3", "", "x", "p1.1", "ffffffffffffffff"].map(text => parseThread(text, 2))).toEqual([
    0,
    1,
    "all",
    "any",
    null,
    null,
    null,
    null,
    null,
  ])
})
