/** Register contents worth computing with. */

import { binary32, binary64 } from "../../test/oracle/float.ts"
import { floatOperand, integerOperand } from "../../test/oracle/float-vectors.ts"
import type { Random } from "../../test/oracle/random.ts"

const mask64 = (1n << 64n) - 1n

/** A 64-bit integer pattern: bounds of every width, single bits, runs of ones, small numbers, shift amounts, noise. */
export const integerPattern = (random: Random): bigint => {
  switch (random.below(8)) {
    case 0:
      return random.pick([0n, 1n, 2n, mask64, mask64 - 1n])
    case 1: {
      const width = random.pick([8n, 16n, 32n, 63n, 64n])
      return ((1n << width) - BigInt(random.between(-1, 2)) - random.pick([0n, 1n << (width - 1n)])) & mask64
    }
    case 2:
      return BigInt(random.below(130))
    case 3:
      return random.pick([
        0x5555555555555555n,
        0xaaaaaaaaaaaaaaaan,
        0x00ff00ff00ff00ffn,
        0x8000000080000000n,
        0x7fffffffn << 32n,
      ])
    case 4:
      return random.uint64() >> BigInt(random.below(64))
    case 5:
      return integerOperand(random)
    case 6:
      return BigInt.asUintN(64, BigInt.asIntN(32, random.uint64()))
    default:
      return random.uint64()
  }
}

/** A 64-bit float register pattern: doubles, boxed singles, badly boxed singles. */
export const floatPattern = (random: Random): bigint => {
  const boxed = (0xffffffffn << 32n) | floatOperand(binary32, random)
  switch (random.below(20)) {
    case 0:
      return (random.pick([0n, 0x7fffffffn, 0xfffffffen, 0xffffffn]) << 32n) | floatOperand(binary32, random)
    case 1:
      return random.uint64()
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      return boxed
    default:
      return floatOperand(binary64, random)
  }
}
