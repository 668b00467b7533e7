/**
 * A 128-bit hash of one page of RAM and its number, for digests of memory: the rounds of XXH64 over four lanes. As `digest.ts` in
 * `machine`, it finds accidents, not forgeries.
 */
import { type Expr, type FunctionBuilder, i32, i64, type Local, type ModuleBuilder } from "../wasm/index.ts"
import { PAGE_BYTES, PAGE_HASH, RAM } from "./layout.ts"

const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n

const round = (lane: Expr<"i64">, word: Expr<"i64">): Expr<"i64"> =>
  i64.mul(i64.rotl(i64.add(lane, i64.mul(word, PRIME_2)), 31), PRIME_1)

const avalanche = (f: FunctionBuilder, value: Local<"i64">): void => {
  f.set(value, i64.mul(i64.xor(value, i64.shru(value, 33)), PRIME_2))
  f.set(value, i64.mul(i64.xor(value, i64.shru(value, 29)), PRIME_3))
  f.set(value, i64.xor(value, i64.shru(value, 32)))
}

/** `hashPage(page)`: leaves the hash at `PAGE_HASH`, zero for a page of zeros. */
export const definePageHash = (module: ModuleBuilder): void => {
  module.function(
    "hashPage",
    { params: ["i32"], result: null },
    f => {
      const page = f.param(0, "i32")
      const at = f.let(i32.add(i32.mul(page, PAGE_BYTES), RAM))
      const end = f.let(i32.add(at, PAGE_BYTES))
      const seed = f.let(i64.mul(i64.extendu(page), PRIME_3))
      const any = f.local("i64")
      const word = f.local("i64")
      const lanes = [PRIME_1, PRIME_2, PRIME_3, 0n].map(prime => f.let(i64.add(seed, prime)))
      f.loop(next => {
        for (const [position, lane] of lanes.entries()) {
          f.set(word, i64.load(at, position * 8))
          f.set(any, i64.or(any, word))
          f.set(lane, round(lane, word))
        }
        f.set(at, i32.add(at, 8 * lanes.length))
        f.brIf(next, i32.ltu(at, end))
      })
      const low = f.local("i64")
      const high = f.local("i64")
      f.if(i64.ne(any, 0), () => {
        for (const lane of lanes) {
          f.set(low, round(low, lane))
          f.set(high, round(i64.xor(high, lane), low))
        }
        avalanche(f, low)
        avalanche(f, high)
      })
      f.storeI64(i32.const(PAGE_HASH), low)
      f.storeI64(i32.const(PAGE_HASH), high, 8)
    },
    { exported: true },
  )
}
