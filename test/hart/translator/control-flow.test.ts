import { expect, test } from "vitest"
import { type Block, dominates, findRegion } from "../../../src/hart/translator/control-flow.ts"
import { assemble } from "../../../src/riscv/assembler.ts"
import { decode, instructionLength } from "../../../src/riscv/table.ts"

const regionOf = (source: string, { targets = [] as readonly number[], isWide = false } = {}) => {
  const { bytes } = assemble(source)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = (offset: number) => {
    if (offset + 2 > bytes.length) return null
    const low = view.getUint16(offset, true)
    const word = instructionLength(low) === 2 ? low : view.getInt32(offset, true)
    const instruction = decode(word)
    return instruction && { instruction, word }
  }
  const region = findRegion(0, { at, targets }, isWide)
  const blocks = [...(region?.blocks.values() ?? [])]
  const blockAt = (offset: number): Block => region!.blocks.get(offset)!
  return { region, blocks, at: blockAt }
}

test("a straight piece is one block that ends where the interpreter has to go on", () => {
  const { blocks } = regionOf("addi a0, a0, 1\n addi a0, a0, 2\n ecall")
  expect(blocks.map(({ offset, instructions, end }) => [offset, instructions.length, end])).toEqual([
    [0, 2, { kind: "next", to: 8 }],
  ])
})

test("what begins with an instruction for the interpreter is no region", () => {
  expect(regionOf("csrr a0, mhartid\n addi a0, a0, 1").region).toBeNull()
})

test("nested loops have their heads marked and dominate what they enclose", () => {
  const { at } = regionOf(`
    li a0, 3
    outer: li a1, 4
    inner: addi a1, a1, -1
    bnez a1, inner
    addi a0, a0, -1
    bnez a0, outer
    ret`)
  const [outer, inner, tail, end] = [at(4), at(8), at(16), at(24)]
  expect([at(0).isLoop, outer.isLoop, inner.isLoop, tail.isLoop, end.isLoop]).toEqual([false, true, true, false, false])
  expect(dominates(outer, tail)).toBe(true)
  expect(dominates(tail, inner)).toBe(false)
  expect(end.end).toEqual({ kind: "indirect" })
})

test("where two ways meet, the block belongs to what both come from", () => {
  const { at } = regionOf(`
    beqz a0, other
    addi a1, a1, 1
    j both
    other: addi a1, a1, 2
    both: ret`)
  expect(at(0).merges.map(({ offset }) => offset)).toEqual([16])
})

test("a loop with two entrances is entered at the second through the root", () => {
  const { region, blocks, at } = regionOf(`
    beqz a0, second
    first: addi a1, a1, 1
    second: addi a1, a1, 2
    bnez a1, first
    ret`)
  expect(blocks.some(({ isLoop }) => isLoop)).toBe(false)
  expect(region!.root.end).toEqual({ kind: "entries", to: [0, 4] })
  expect(at(8).dominator).toBe(region!.root)
})

const caller = `
    again: jal ra, callee
    bnez a0, again
    ecall
    callee: addi a0, a0, -1
    ret`

test("a wide region goes on where a call in its page comes back to, a narrow one does not", () => {
  const wide = regionOf(caller, { isWide: true })
  expect(wide.region!.entries.map(({ offset }) => offset)).toEqual([0, 4])
  expect(wide.region!.followers(wide.at(12))).toEqual([wide.region!.root])
  const narrow = regionOf(caller)
  expect(narrow.region!.entries.map(({ offset }) => offset)).toEqual([0])
  expect(narrow.blocks.map(({ offset }) => offset)).toEqual([0, 12])
})

test("a wide region is entered where its computed jumps were seen to go", () => {
  const source = "jr a5\n one: addi a0, a0, 1\n ecall\n two: addi a0, a0, 2\n ecall"
  const offsets = ({ region }: ReturnType<typeof regionOf>) => region!.entries.map(({ offset }) => offset)
  expect(offsets(regionOf(source, { isWide: true, targets: [4, 12] }))).toEqual([0, 4, 12])
  expect(offsets(regionOf(source, { targets: [4, 12] }))).toEqual([0])
  expect(offsets(regionOf(source.replace("jr a5", "ret"), { isWide: true, targets: [4, 12] }))).toEqual([0])
})

test("a long straight piece is several blocks, so that little budget is enough for one", () => {
  const { blocks } = regionOf(`${"addi a0, a0, 1\n".repeat(250)} ecall`)
  expect(blocks.map(({ instructions }) => instructions.length)).toEqual([100, 100, 50])
})
