/**
 * The interpreter's decoder, generated from the instruction table: from an instruction word to an 8-byte record.
 * RISC-V unprivileged ISA, section 1.5 (encoding) and chapter 35 (opcode map).
 */
import { extractExpr } from "../riscv/field.ts"
import type { Format, Slot } from "../riscv/format.ts"
import type { Instruction } from "../riscv/instruction.ts"
import { instructions } from "../riscv/table.ts"
import { type Expr, type FunctionBuilder, type FunctionRef, i32, type ModuleBuilder } from "../wasm/index.ts"
import { operation } from "./code-cache.ts"
import { X_DISCARD } from "./state.ts"

/** An instruction as the interpreter knows it: `near` when its target lies in the same page. */
export interface Operation {
  readonly instruction: Instruction
  readonly near: boolean
}

const hasTarget = (instruction: Instruction) => instruction.format.operands.some(operand => operand.target)

/** Operations by number, from `operation.first` on. An instruction with a target has two, the near one first. */
export const operations: readonly Operation[] = instructions.flatMap(instruction =>
  hasTarget(instruction)
    ? [
        { instruction, near: true },
        { instruction, near: false },
      ]
    : [{ instruction, near: false }],
)

/** The number of an instruction's first operation. */
const numbers = new Map<Instruction, number>()
for (const [position, { instruction }] of operations.entries())
  if (!numbers.has(instruction)) numbers.set(instruction, position + operation.first)

/** Where a slot lies in the record. */
export const slotOffset: Record<Slot, number> = { A: 2, B: 4, C: 6, D: 4, byte0: 4, byte1: 5, byte2: 6, byte3: 7 }

/**
 * Words are sorted by the bits nearly every encoding fixes: opcode bits 6:2 with funct3 for 32-bit ones, quadrant with funct3 for
 * 16-bit ones. The bucket numbers of the latter follow those of the former.
 */
const WIDE_BUCKETS = 256
const bucketOf = (word: number): number =>
  (word & 3) === 3
    ? (((word >>> 2) & 31) << 3) | ((word >>> 12) & 7)
    : WIDE_BUCKETS + (((word & 3) << 3) | ((word >>> 13) & 7))
const bucketExpr = (word: Expr<"i32">): Expr<"i32"> =>
  i32.select(
    i32.or(i32.shl(i32.and(i32.shru(word, 2), 31), 3), i32.and(i32.shru(word, 12), 7)),
    i32.add(i32.or(i32.shl(i32.and(word, 3), 3), i32.and(i32.shru(word, 13), 7)), WIDE_BUCKETS),
    i32.eq(i32.and(word, 3), 3),
  )

/** Every bucket an instruction can fall into: its free funct3 bits take all values. */
const bucketsOf = ({ length, mask, match }: Instruction): Set<number> => {
  const shift = length === 4 ? 12 : 13
  const found = new Set<number>()
  for (let funct3 = 0; funct3 < 8; funct3++) {
    const word = match | ((funct3 << shift) & ~mask)
    found.add(bucketOf(word))
  }
  return found
}

/** Defines `decodeInto(word, record, offset)`. `offset` is the instruction's place in its page, or -1: no target is near. */
export const defineDecoder = (module: ModuleBuilder): FunctionRef =>
  module.function("decodeInto", { params: ["i32", "i32", "i32"], result: null }, f => {
    const word = f.param(0, "i32")
    const record = f.param(1, "i32")
    const offset = f.param(2, "i32")
    const number = f.local("i32")
    const shape = f.local("i32")
    const formats = [...new Set(instructions.map(instruction => instruction.format))]
    f.set(number, operation.illegal)

    const buckets: Instruction[][] = Array.from({ length: WIDE_BUCKETS + 24 }, () => [])
    for (const instruction of instructions)
      for (const bucket of bucketsOf(instruction)) buckets[bucket]!.push(instruction)
    const nothing = () => {}
    const tryEach = (candidates: readonly Instruction[]) => () =>
      f.block(found => {
        for (const candidate of candidates) {
          let matches: Expr<"i32"> = i32.eq(i32.and(word, candidate.mask), candidate.match)
          for (const { field, value } of candidate.forbidden)
            matches = i32.and(matches, i32.ne(extractExpr(field, word), value))
          f.if(matches, () => {
            f.set(number, numbers.get(candidate)!)
            f.set(shape, formats.indexOf(candidate.format))
            f.br(found)
          })
        }
      })
    // A 16-bit word is compared without what follows it in memory.
    f.if(i32.ne(i32.and(word, 3), 3), () => f.set(word, i32.and(word, 0xffff)))
    f.switch(
      bucketExpr(word),
      buckets.map(candidates => (candidates.length > 0 ? tryEach(candidates) : nothing)),
      nothing,
    )
    f.if(i32.ne(number, operation.illegal), () =>
      f.switch(
        shape,
        formats.map(format => () => f.scope(() => pack(f, format, word, record, offset, number))),
        () => f.unreachable(),
      ),
    )
    f.storeI32As16(record, number)
  })

/** Writes a format's operands into the record. */
const pack = (
  f: FunctionBuilder,
  format: Format,
  word: Expr<"i32">,
  record: Expr<"i32">,
  offset: Expr<"i32">,
  number: Parameters<FunctionBuilder["set"]>[0],
): void => {
  const put = (slot: Slot, value: Expr<"i32">) => {
    if (slot === "D") f.storeI32(record, value, slotOffset[slot])
    else if (slot.startsWith("byte")) f.storeI32As8(record, value, slotOffset[slot])
    else f.storeI32As16(record, value, slotOffset[slot])
  }
  for (const { kind, slot, field, target } of format.operands) {
    const value = extractExpr(field, word)
    if (kind === "xd") {
      const register = f.let(value)
      put(slot, i32.shl(i32.select(register, X_DISCARD, register), 3))
    } else if (kind === "x" || kind === "f") put(slot, i32.shl(value, 3))
    else if (!target) put(slot, value)
    else {
      // Near: the distance in records. Far: the distance in bytes, and the operation after the near one.
      const distance = f.let(value)
      const near = i32.and(i32.ges(offset, 0), i32.ltu(i32.add(offset, distance), 4096))
      f.if(
        near,
        () => put(slot, i32.shl(distance, 2)),
        () => {
          put(slot, distance)
          f.set(number, i32.add(number as Expr<"i32">, 1) as never)
        },
      )
    }
  }
}
