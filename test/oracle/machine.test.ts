import { expect, it } from "vitest"
import { RAM_SIZE } from "../../tools/differential/layout.ts"
import { coarseWatch, generateProgram, watchedImage } from "../../tools/differential/program.ts"
import { decode } from "./decode.ts"
import { runOracle } from "./machine.ts"

it("expands compressed instructions", () => {
  expect(decode(0x8082)).toMatchObject({ name: "jalr", rd: 0, rs1: 1, length: 2 })
  expect(decode(0x9002)).toMatchObject({ name: "ebreak" })
  expect(decode(0x4505)).toMatchObject({ name: "addi", rd: 10, rs1: 0, immediate: 1n })
  expect(decode(0x0000)).toBeUndefined()
})

it("decodes by the specification's fields", () => {
  expect(decode(0x00b50533)).toMatchObject({ name: "add", rd: 10, rs1: 10, rs2: 11 })
  expect(decode(0xfe0008e3)).toMatchObject({ name: "beq", immediate: -16n })
  expect(decode(0x60051513)).toMatchObject({ name: "clz", rd: 10, rs1: 10 })
  expect(decode(0xffffffff)).toBeUndefined()
})

it("runs a generated program to its end, twice the same", () => {
  const categories = ["integer", "float", "memory", "atomic", "branch", "self-modifying"] as const
  const program = generateProgram({ seed: 3, categories, instructions: 600, passes: 2 })
  const image = watchedImage(program, coarseWatch)
  const first = runOracle(image, { ramBytes: RAM_SIZE })
  expect(first.console).toMatch(/^E [0-9a-f]{16} [0-9a-f]{16}$/m)
  expect(runOracle(image, { ramBytes: RAM_SIZE })).toEqual(first)
})
