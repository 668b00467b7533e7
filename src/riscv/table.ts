/** The instruction table: every instruction the machine knows, extension by extension. */
import { zba, zbb, zbs } from "./bitmanip.ts"
import { compressed } from "./compressed.ts"
import { rv64d, rv64f } from "./float.ts"
import { encodes, type Instruction } from "./instruction.ts"
import { privileged } from "./privileged.ts"
import { rv64a } from "./rv64a.ts"
import { rv64i } from "./rv64i.ts"
import { rv64m } from "./rv64m.ts"
import { zicsr } from "./zicsr.ts"
import { zifencei } from "./zifencei.ts"

const uncompressed: readonly Instruction[] = [
  ...rv64i,
  ...zifencei,
  ...zicsr,
  ...rv64m,
  ...rv64a,
  ...rv64f,
  ...rv64d,
  ...zba,
  ...zbb,
  ...zbs,
  ...privileged,
]

export const instructions: readonly Instruction[] = [...uncompressed, ...compressed(uncompressed)]

/** Bytes of the instruction that begins with this halfword (unprivileged ISA, section 1.5): 4 when both low bits are set. */
export const instructionLength = (halfword: number): 2 | 4 => ((halfword & 3) === 3 ? 4 : 2)

/** The instruction `word` encodes (a 16-bit one in its low half), or null: an illegal instruction. */
export const decode = (word: number): Instruction | null => {
  const length = instructionLength(word)
  const bits = length === 2 ? word & 0xffff : word | 0
  return instructions.find(candidate => candidate.length === length && encodes(candidate, bits)) ?? null
}
