/** Instructions that access watched memory end the run after themselves, each once, and change nothing else. */
import { describe, expect, it } from "vitest"
import { exitReason } from "../../src/hart/state.ts"
import { nothingObserved } from "../../src/machine/machine.ts"
import { Bench, RAM_BASE } from "./harness.ts"

const bench = new Bench()
const WATCHED = RAM_BASE + 0x8ff0

type Told = "read" | "write"

/** Instructions that access what a1 points to, and how. Of an AMO the write is told of last. */
const accesses: readonly (readonly [string, ...Told[]])[] = [
  ["lb a0, 0(a1)", "read"],
  ["lhu a0, 2(a1)", "read"],
  ["lw a0, 4(a1)", "read"],
  ["ld a0, 0(a1)", "read"],
  ["c.ld a0, 0(a1)", "read"],
  ["fld fa0, 0(a1)", "read"],
  ["ld a0, 13(a1)", "read"],
  ["sb a2, 1(a1)", "write"],
  ["sh a2, 2(a1)", "write"],
  ["c.sw a2, 4(a1)", "write"],
  ["sd a2, 0(a1)", "write"],
  ["fsd fa0, 8(a1)", "write"],
  ["sd a2, 13(a1)", "write"],
  ["lr.w a0, (a1)", "read"],
  ["sc.w a3, a2, (a1)", "write"],
  // Nothing is reserved any more.
  ["sc.w a3, a2, (a1)"],
  ["lr.d a0, (a1)", "read"],
  ["sc.d a3, a2, (a1)", "write"],
  // Nothing is reserved any more.
  ["sc.d a3, a2, (a1)"],
  ...["swap", "add", "xor", "and", "or", "min", "max", "minu", "maxu"].flatMap(name =>
    ["w", "d"].map(width => [`amo${name}.${width} a0, a2, (a1)`, "read", "write"] as const),
  ),
]

/** Between two of them are instructions that access other memory of the page, or none. */
const program = `li a1, ${WATCHED}
li a2, 77
li t0, 0x6000
csrs mstatus, t0
${accesses.map(([text]) => `addi a4, a4, 1\nsd a4, -8(a1)\n${text}\nld a5, -16(a1)\nadd a6, a6, a0`).join("\n")}`

const LENGTH = 400

/** The registers and what was written, at the end. */
const outcome = () => ({
  x: Array.from({ length: 32 }, (_, index) => bench.core.getBig(0, "x", index)),
  pc: bench.core.getBig(0, "pc"),
  memory: Buffer.from(bench.core.ram.subarray(0x8fe0, 0x9010)).toString("hex"),
  executed: bench.core.executed(0),
})

/** Runs the program for some instructions; gives what was told of, and how many had been executed then. */
const runObserved = (reads: boolean, writes: boolean) => {
  bench.load(program)
  const { core } = bench
  const begin = core.executed(0)
  const place = { space: "physical", address: BigInt(WATCHED), bytes: 16 } as const
  core.observe({ ...nothingObserved, memory: [{ ...place, reads, writes }] })
  const told: { readonly kind: string; readonly executed: number }[] = []
  for (let left = LENGTH; left > 0; left = LENGTH - (core.executed(0) - begin)) {
    const reason = core.run(left)
    core.takeInterrupts()
    if (reason === exitReason.observed) told.push({ kind: core.hit.kind, executed: core.executed(0) - begin })
  }
  core.observe(null)
  return { told, outcome: { ...outcome(), executed: core.executed(0) - begin } }
}

/** How many instructions had been executed after each access, by going one by one. */
const executedAfter = (): readonly number[] => {
  bench.load(program)
  const after: number[] = []
  let accessed = 0n
  for (let executed = 1; executed <= LENGTH; executed++) {
    bench.run(1)
    // The instruction after the next is the access: a4 has been counted up, and what stands before a1 written.
    if (bench.x("a4") === accessed) continue
    accessed = bench.x("a4")
    after.push(executed + 2)
  }
  return after
}

describe("watched memory", () => {
  const after = executedAfter()

  it.each([
    [true, false],
    [false, true],
    [true, true],
  ])("reads %s, writes %s", (reads, writes) => {
    const expected = accesses.flatMap(([, ...kinds], order) => {
      const told = kinds.filter(kind => (kind === "read" ? reads : writes)).at(-1)
      return told === undefined ? [] : [{ kind: told, executed: after[order] }]
    })
    const observed = runObserved(reads, writes)
    expect(observed.told).toEqual(expected)
    bench.load(program)
    bench.run(LENGTH)
    expect(observed.outcome).toEqual({ ...outcome(), executed: LENGTH })
    bench.expectEnd()
  })
})
