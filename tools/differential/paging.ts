/** Sv39 and Sv48 page tables: a fixed skeleton, and random entries for the test regions (privileged specification, 4.4). */
import type { Random } from "../../test/oracle/random.ts"
import {
  CODE_BASE,
  RAM_SIZE,
  RETURN_PAGE,
  ROOT_39,
  ROOT_48,
  SUPERPAGE,
  TABLE_0,
  TABLE_1,
  TEST_GIGAPAGE,
  USER_GIGAPAGE,
  WINDOW,
} from "./layout.ts"

const V = 1
const R = 2
const W = 4
const X = 8
const U = 16
const A = 64
const D = 128

const entry = (physical: number, flags: number): bigint => (BigInt(physical / 4096) << 10n) | BigInt(flags)
const HIGH_GIGAPAGE = 509

/** The words of the two roots: all RAM at its own address for the supervisor, an alias for the user, the test regions. */
export const skeleton = (): Map<number, bigint> => {
  const words = new Map<number, bigint>()
  words.set(ROOT_39 + 8 * 2, entry(CODE_BASE, V | R | W | X | A | D))
  words.set(ROOT_39 + 8 * USER_GIGAPAGE, entry(CODE_BASE, V | R | W | X | U | A | D))
  words.set(ROOT_39 + 8 * TEST_GIGAPAGE, entry(TABLE_1, V))
  words.set(ROOT_39 + 8 * HIGH_GIGAPAGE, entry(TABLE_1, V))
  words.set(ROOT_48, entry(ROOT_39, V))
  words.set(ROOT_48 + 8 * 511, entry(ROOT_39, V))
  // A misaligned 512 GiB page.
  words.set(ROOT_48 + 8, entry(CODE_BASE, V | R | W | A | D))
  return words
}

/** `satp` for the skeleton. */
export const satp = (levels: 3 | 4, addressSpace: number): bigint =>
  (BigInt(levels === 3 ? 8 : 9) << 60n) |
  (BigInt(addressSpace) << 44n) |
  BigInt((levels === 3 ? ROOT_39 : ROOT_48) / 4096)

const leafFlags = (random: Random): number => {
  const permissions = random.pick([R, R | W, R | W, R | X, X, X | R, 0, W, W | X, R | W | X])
  return (
    (random.chance(93) ? V : 0) |
    permissions |
    (random.chance(50) ? U : 0) |
    (random.chance(60) ? A : 0) |
    (random.chance(50) ? D : 0) |
    (random.below(2) << 5) |
    (random.below(4) << 8)
  )
}

const reservedBits = (random: Random): bigint => (random.chance(6) ? 1n << BigInt(random.between(54, 63)) : 0n)

/** What the last-level entries of a block may be. */
export interface LeafChoice {
  /** Of pages past the end of RAM. */
  readonly outside: boolean
  /** Executable and the user's. */
  readonly userCode: boolean
}

/** A last-level entry. Pages that may be executed hold returns, and are never writable. */
export const leafEntry = (random: Random, { outside, userCode }: LeafChoice): bigint => {
  const flags = leafFlags(random)
  if ((flags & X) !== 0) return entry(RETURN_PAGE, flags & ~(userCode ? W : W | U)) | reservedBits(random)
  const physical =
    outside && random.chance(20) ? CODE_BASE + RAM_SIZE + 4096 * random.below(4) : WINDOW + 4096 * random.below(4)
  return entry(physical, flags) | reservedBits(random)
}

/** A middle-level entry: mostly a pointer to the last level, else a superpage, aligned or not. Superpages are not executable. */
export const middleEntry = (random: Random): bigint => {
  if (random.chance(70))
    return entry(TABLE_0, V | (random.chance(10) ? random.pick([A, D, U]) : 0)) | reservedBits(random)
  const physical = random.chance(75) ? SUPERPAGE : SUPERPAGE + 4096 * random.between(1, 511)
  return entry(physical, leafFlags(random) & ~X) | reservedBits(random)
}

/** Virtual address of byte `offset` of page `page` (0..7) of the middle entry `middle` (0..3), as a 64-bit pattern. */
export const testAddress = (random: Random, middle: number, page: number, offset: number): bigint => {
  const low = BigInt(middle * 0x20_0000 + page * 4096 + offset)
  if (random.chance(15)) return BigInt.asUintN(64, (BigInt(HIGH_GIGAPAGE - 512) << 30n) + low)
  if (random.chance(3))
    return BigInt.asUintN(64, (BigInt(TEST_GIGAPAGE) << 30n) + low + (1n << BigInt(random.between(38, 63))))
  return (BigInt(TEST_GIGAPAGE) << 30n) + low
}

/** The user alias of a physical address. */
export const userAlias = (physical: number): number => USER_GIGAPAGE * 2 ** 30 + (physical - CODE_BASE)
