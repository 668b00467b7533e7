import { expect, test } from "vitest"
import { findRegion } from "../../../src/hart/translator/control-flow.ts"
import { registersIn, registerUse, writtenBy } from "../../../src/hart/translator/register-use.ts"
import { assemble } from "../../../src/riscv/assembler.ts"
import { decode } from "../../../src/riscv/table.ts"

const useIn = (source: string, file: "x" | "f" = "x") => {
  const { bytes } = assemble(source)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = (offset: number) => {
    if (offset + 4 > bytes.length) return null
    const word = view.getInt32(offset, true)
    const instruction = decode(word)
    return instruction && { instruction, word }
  }
  const region = findRegion(0, { at, targets: [] }, false)!
  const use = registerUse(region, file)
  const before = (offset: number) => registersIn(use.writtenBefore(region.blocks.get(offset)!))
  return { needed: registersIn(use.needed), before, region }
}

const [a0, a1, a2, a3] = [10, 11, 12, 13] as const

test("what is read before it is written is needed, what is written first is not", () => {
  const { needed } = useIn("add a0, a1, a2\n addi a3, a0, 1\n ecall")
  expect(needed).toEqual([a1, a2])
})

test("what one of two ways writes is needed, as it is put back where they meet", () => {
  const { needed, before } = useIn(`
    beqz a0, both
    addi a1, zero, 5
    both: addi a2, zero, 1
    ecall`)
  expect(before(8)).toEqual([a1])
  expect(needed).toEqual([a0, a1])
})

test("a loop has written at its head what its body writes", () => {
  const { needed, before } = useIn(`
    addi a3, zero, 0
    again: addi a0, a0, -1
    addi a3, a3, 2
    bnez a0, again
    ecall`)
  expect(before(4)).toEqual([a0, a3])
  expect(needed).toEqual([a0])
})

test("integer and floating-point registers are told apart, and x0 is none", () => {
  const source = "fadd.d f1, f2, f3\n fcvt.d.l f4, a0\n fsd f1, 0(a1)\n add zero, a2, a2\n ecall"
  expect(useIn(source, "f").needed).toEqual([2, 3])
  expect(useIn(source).needed).toEqual([a0, a1, a2])
  const { region } = useIn(source)
  expect(registersIn(writtenBy(region.blocks.get(0)!.instructions, "x"))).toEqual([])
})
