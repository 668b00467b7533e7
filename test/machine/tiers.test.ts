/** Interpreter and translator are one machine: whichever executes what, every digest on the way is the same. */
import { describe, expect, test } from "vitest"
import { MemoryDisk } from "../../src/devices/index.ts"
import { REGIONS_STEP } from "../../src/hart/layout.ts"
import { defaultPolicy, eagerPolicy, randomPolicy, type TranslationPolicy } from "../../src/hart/translator/policy.ts"
import {
  type CompiledBatch,
  inlineCompiler,
  type RegionCompilerMaker,
} from "../../src/hart/translator/region-compiler.ts"
import { threadCompiler } from "../../src/host/region-compilers.ts"
import { hex } from "../../src/machine/digest.ts"
import { Machine } from "../../src/machine/machine.ts"
import { embeddedKernel } from "./embedded-kernel.ts"

/** Runs the embedded guest's checks; the digest of all registers after every step, of everything at the end, and the console. */
const history = (harts: number, translation: TranslationPolicy | null, compiler = inlineCompiler) => {
  const machine = new Machine({
    harts,
    ramBytes: 16 << 20,
    firmware: { kind: "none" },
    kernel: embeddedKernel,
    initrd: null,
    bootArguments: "auto",
    disks: [new MemoryDisk(new Uint8Array(1 << 20))],
    startTime: { seconds: 1, nanoseconds: 0 },
    seed: new Uint8Array(32).fill(harts),
    translation,
    compiler,
  })
  const digests: string[] = []
  let console = ""
  for (;;) {
    const exit = machine.run(500_000)
    console += new TextDecoder("latin1").decode(machine.takeConsole())
    machine.takeTrace()
    digests.push(`${machine.executed} ${hex(machine.registerDigest())}`)
    if (exit.kind === "off") return { digests, console, end: hex(machine.digest()) }
    if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
  }
}

describe.each([1, 4])("with %i harts, the history is the interpreter's", harts => {
  const interpreted = history(harts, null)

  test("which ends well", () => expect(interpreted.console).toContain("6 of 6 checks ok"))
  test("with the translator as it is", () => expect(history(harts, defaultPolicy)).toEqual(interpreted))
  test("with a thread that compiles while the interpreter goes on", () => {
    expect(history(harts, { ...defaultPolicy, patience: () => 1000, heatMin: 10 }, threadCompiler())).toEqual(
      interpreted,
    )
  })
  test("with the regions of an earlier run, which are not compiled again", () => {
    const policy = { ...defaultPolicy, patience: () => 1000, heatMin: 10 }
    const made: CompiledBatch[] = []
    const first = history(harts, policy, helpers => {
      const compiler = inlineCompiler(helpers)
      return {
        compile: compiler.compile,
        finished: () => {
          const batches = compiler.finished()
          made.push(...batches)
          return batches
        },
      }
    })
    expect(first).toEqual(interpreted)
    let jobs = 0
    const second = history(harts, policy, helpers => {
      const compiler = inlineCompiler(helpers)
      const earlier = made.map(batch => ({ ...batch, refused: [], isEarlier: true }))
      return {
        compile: asked => {
          jobs += asked.length
          compiler.compile(asked)
        },
        finished: () => [...earlier.splice(0), ...compiler.finished()],
      }
    })
    expect(second).toEqual(interpreted)
    const regions = made.reduce((sum, batch) => sum + batch.regions.length, 0)
    expect(regions).toBeGreaterThan(50)
    expect(jobs).toBeLessThan(regions / 4)
  })
  test("with more regions that came too late than the table of regions is long", () => {
    let jobs = 0
    const late: RegionCompilerMaker = helpers => {
      const compiler = inlineCompiler(helpers)
      return {
        compile: asked => {
          jobs += asked.length
          compiler.compile(asked)
        },
        // As if the pages had been written to meanwhile.
        finished: () =>
          compiler.finished().map(batch => ({
            ...batch,
            regions: batch.regions.map(region => ({ ...region, code: region.code.map(byte => byte ^ 1) })),
          })),
      }
    }
    const policy = { ...defaultPolicy, patience: () => 300, heatMin: 10, looksMin: 1, regionsMax: REGIONS_STEP }
    expect(history(harts, policy, late)).toEqual(interpreted)
    expect(jobs).toBeGreaterThan(REGIONS_STEP)
  })
  test("with everything translated", () => expect(history(harts, eagerPolicy())).toEqual(interpreted), 60_000)
  test.each(Array.from({ length: 20 }, (_, at) => at + 1))(
    "with thresholds drawn by seed %i",
    seed => expect(history(harts, randomPolicy(seed))).toEqual(interpreted),
    60_000,
  )
})
