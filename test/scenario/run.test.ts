import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WorldStore } from "../../src/events/index.ts"
import { ImageStore } from "../../src/host/images/index.ts"
import { Siblings } from "../../src/host/sibling-process.ts"
import { listScenarios, type Progress, parseScenario, readScenario, runScenario } from "../../src/scenario/index.ts"
import { expectedSummary } from "../scenarios/embedded-oracle.ts"

const scenarios = fileURLToPath(new URL("../../scenarios/", import.meta.url))
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "scenario-"))
})
afterAll(() => rmSync(directory, { recursive: true }))

const services = Layer.suspend(() =>
  Layer.mergeAll(NodeServices.layer, Siblings.layer, WorldStore.layer, ImageStore.layer(join(directory, "home"))),
)
type Services = Layer.Success<typeof services>
const perform = <A, E>(effect: Effect.Effect<A, E, Services>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, services))

interface Options {
  readonly times?: number
  readonly keep?: string
}
const run = (scenario: ReturnType<typeof readScenario>, { times = 2, keep }: Options = {}) => {
  const progress: Progress[] = []
  const program = Effect.flatMap(scenario, declared =>
    runScenario(declared, { times, keep, progress: event => Effect.sync(() => void progress.push(event)) }),
  )
  return perform(program).then(result => ({ result, progress }))
}
const ofFile = (name: string) => readScenario(join(scenarios, name))

/** A scenario of the embedded guest on one hart. */
const ofSteps = (name: string, ...steps: readonly string[]) => {
  const head = [
    `name: ${name}`,
    "description: x",
    "kernel: guests/embedded/embedded.elf",
    "firmware: none",
    "memory: 32M",
  ]
  return parseScenario(
    join(scenarios, "none.yaml"),
    [...head, "disks: [{ blank: 32K }]", "steps:", ...steps.map(step => `  - ${step}`)].join("\n"),
  )
}

describe("the scenarios that come with the project", () => {
  it("are all well-formed, and named by their files", async () => {
    const listings = await perform(listScenarios(scenarios))
    expect(listings.length).toBeGreaterThanOrEqual(6)
    for (const { file, scenario, problem } of listings) {
      expect(problem).toBeNull()
      expect(file).toMatch(new RegExp(`/\\d\\d-${scenario!.name}\\.yaml$`))
    }
  })

  it("expect the checksum of the embedded guest that its checks must have", async () => {
    const scenario = await perform(ofFile("01-embedded.yaml"))
    expect(scenario.steps).toContainEqual({ verb: "expect", expect: expectedSummary().at(-1) })
  })

  it.each(["01-embedded.yaml", "02-typed-input.yaml"])("%s passes", { timeout: 60_000 }, async file => {
    const { result, progress } = await run(ofFile(file))
    expect(result).toMatchObject({ passed: true, problems: [] })
    expect(result.runs).toHaveLength(2)
    expect(result.runs[0]!.worlds).toMatchObject([{ branch: null, digest: result.runs[1]!.worlds[0]!.digest }])
    expect(progress.filter(({ kind }) => kind === "equal" || kind === "replayed")).toHaveLength(2)
  })

  it("03-disk-snapshot.yaml goes back twice, into worlds of their own", { timeout: 120_000 }, async () => {
    const keep = join(directory, "kept")
    const { result, progress } = await run(ofFile("03-disk-snapshot.yaml"), { times: 1, keep })
    expect(result.passed).toBe(true)
    expect(result.runs[0]!.worlds.map(({ branch }) => branch)).toEqual([null, "written", "written"])
    expect(progress.filter(({ kind }) => kind === "replayed").map(event => "from" in event && event.from)).toEqual([
      ["written", "went-on"],
      ["written"],
      ["written"],
    ])
    expect(readdirSync(keep)).toEqual([
      "disk-snapshot-1-branch-1.cv",
      "disk-snapshot-1-branch-2.cv",
      "disk-snapshot-1.cv",
    ])
  })

  it("04-crash-resume.yaml is killed and goes on, and comes to what it comes to unharmed", {
    timeout: 120_000,
  }, async () => {
    const keep = join(directory, "killed")
    const { result } = await run(ofFile("04-crash-resume.yaml"), { times: 1, keep })
    expect(result.passed).toBe(true)
    const changes = await perform(
      Effect.scoped(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).openReadOnly(join(keep, "crash-resume-1.cv"))
          return yield* world.readEvents({ kinds: ["lifecycle"] }, 10)
        }),
      ),
    )
    // What a kill takes with it may be the whole of a short leg.
    const resumed = changes.filter(({ payload }) => "change" in payload && payload.change === "resumed").length
    expect(resumed).toBeGreaterThanOrEqual(1)
    expect(resumed).toBeLessThanOrEqual(2)

    const unharmed = Effect.map(ofFile("04-crash-resume.yaml"), scenario => ({
      ...scenario,
      steps: scenario.steps.filter(({ verb }) => verb !== "crash"),
    }))
    const other = await run(unharmed, { times: 1 })
    const [killed, clean] = [result.runs[0]!.worlds[0]!, other.result.runs[0]!.worlds[0]!]
    expect([killed.digest, killed.consoleDigest]).toEqual([clean.digest, clean.consoleDigest])
  })
})

describe("a run", () => {
  it("survives a kill before anything has happened, and inside a branch", { timeout: 60_000 }, async () => {
    const { result } = await run(
      ofSteps(
        "killed-early",
        "crash: SIGKILL",
        'expect: "journal> "',
        "snapshot: prompt",
        "type: add first",
        "restore: prompt",
        "type: add second",
        "crash: SIGKILL",
        "expect: wrote record 2",
        "type: list",
        'expect: "2 note: second"',
      ),
    )
    expect(result).toMatchObject({ passed: true, problems: [] })
    expect(result.runs.map(({ steps }) => steps.length)).toEqual([10, 10])
  })

  it("asserts registers and memory", { timeout: 60_000 }, async () => {
    const { result } = await run(
      ofSteps(
        "state",
        "assert: { register: { name: pc, value: 0x80000000 } }",
        "assert: { register: { name: a0, value: 0 }, memory: { address: 0x81ffff00, size: 8, value: 0 } }",
        "wait: 1ms",
        "assert: { register: { name: zero, value: 1 } }",
      ),
      { times: 1 },
    )
    expect(result.passed).toBe(false)
    expect(result.runs[0]!.failure).toMatchObject({
      index: 3,
      virtualNs: 1_000_000,
      problem: "Register zero of hart 0 is 0x0 instead of 0x1.",
    })
  })

  it.each([
    ["is not said in time", "expect: never\n    within: 5ms", "The console did not say that within 5 ms."],
    [
      "cannot be said any more",
      'expect: "journal> "\n  - expect: never',
      "The console did not say that: every hart waits, and nothing will wake one.",
    ],
    [
      "comes after the end",
      'expect: "journal> "\n  - type: quit\n  - expect: never',
      "The console did not say that: it turned itself off with 0.",
    ],
    [
      "is another exit code",
      'expect: "journal> "\n  - type: quit\n  - assert: { exit: 3 }',
      "The guest turned itself off with 0 instead of 3.",
    ],
    [
      "was said too often",
      'expect: "journal> "\n  - assert: { console: { contains: "check: ", count: 1 } }',
      'The console has said "check: " 6 times instead of 1.',
    ],
    [
      "is another digest",
      `wait: 1ms\n  - assert: { digest: "${"0".repeat(32)}" }`,
      /^The digest is [0-9a-f]{32} instead of 0{32}\.$/,
    ],
  ])("fails where what is expected %s", { timeout: 60_000 }, async (_, steps, problem) => {
    const { result } = await run(ofSteps("failing", steps))
    expect(result.passed).toBe(false)
    expect(result.runs).toHaveLength(1)
    const said = result.runs[0]!.failure!.problem
    if (typeof problem === "string") expect(said).toBe(problem)
    else expect(said).toMatch(problem)
  })

  it("says what is missing, and leaves nothing behind", async () => {
    const keep = join(directory, "missing")
    const missing = Effect.map(ofSteps("missing", "wait: 1s"), scenario => ({ ...scenario, kernel: "no.elf" }))
    await expect(run(missing, { keep })).rejects.toThrow(/no\.elf cannot be read: there is no such file/)
    expect(readdirSync(keep)).toEqual([])
    const image = parseScenario("x.yaml", "name: x\ndescription: x\nimage: debian\nsteps: [wait: 1s]")
    await expect(run(image)).rejects.toThrow("There is no image named debian; build it with `cv image build debian`.")
    expect(existsSync(join(directory, "home"))).toBe(false)
  })
})
