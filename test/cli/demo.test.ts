import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { Effect, Exit, Fiber } from "effect"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { guestPath, guestSpec } from "../../src/cli/demo/embedded-guest.ts"
import { ProofFailed } from "../../src/cli/demo/errors.ts"
import {
  proveFlip,
  proveRecord,
  proveRepeat,
  proveReplay,
  proveRestore,
  type Recording,
  type Watch,
} from "../../src/cli/demo/proofs.ts"
import { commandName, giveDemo } from "../../src/cli/demo/stage.ts"
import { WorldStore } from "../../src/events/index.ts"
import { verify } from "../../src/session/session.ts"
import { stepNames } from "../../src/tui/demo/demo-state.ts"
import { plainText } from "../../src/tui/span.ts"

const directory = mkdtempSync(join(tmpdir(), "demo-test-"))
afterAll(() => rmSync(directory, { recursive: true }))
beforeAll(() => void vi.stubEnv("TMPDIR", directory))
afterAll(() => void vi.unstubAllEnvs())

/** Something to write to that is a terminal or not. */
const makeTerminal = (size?: { readonly columns: number; readonly rows: number }) => {
  const stream = new PassThrough()
  let text = ""
  stream.on("data", bytes => {
    text += bytes
  })
  const terminal = Object.assign(stream, { isTTY: size !== undefined, ...size }) as unknown as NodeJS.WriteStream
  return { terminal, text: () => text }
}

const give = (keep: boolean, terminal: NodeJS.WriteStream) =>
  giveDemo({ keep, terminal }).pipe(Effect.provide(WorldStore.layer))

const watch: Watch = { progress: () => {}, console: () => {} }

const proving = <A, E>(proof: Effect.Effect<A, E, WorldStore>) =>
  Effect.runPromise(Effect.exit(proof.pipe(Effect.provide(WorldStore.layer))))

/** The sentence a proof fails with. */
const problemOf = async <A, E>(proof: Effect.Effect<A, E, WorldStore>): Promise<string> => {
  const error = await Effect.runPromise(Effect.flip(proof).pipe(Effect.provide(WorldStore.layer)))
  expect(error).toBeInstanceOf(ProofFailed)
  return (error as ProofFailed).problem
}

const withoutTimes = (text: string): string =>
  text.replace(/ in \d+\.\d\d s, [\d,]+ MIPS/, "").replace(/ of \d+ KiB/, "")

describe("without a terminal", { timeout: 60_000 }, () => {
  it("proves everything, twice with the same words; it keeps the worlds if asked to, else leaves nothing", async () => {
    const texts: string[] = []
    for (const keep of [false, true]) {
      const { terminal, text } = makeTerminal()
      await Effect.runPromise(give(keep, terminal))
      texts.push(text())
      expect(readdirSync(directory)).toHaveLength(keep ? 1 : 0)
    }
    const [first, second] = texts as [string, string]
    for (const name of stepNames) expect(first).toMatch(new RegExp(`^${name} +proved: `, "m"))
    expect(first).toMatch(/^All 5 proofs hold\.$/m)
    expect(first).toMatch(/^ {2}\| bye$/m)
    expect(first).not.toContain("\x1b")
    expect(withoutTimes(first)).not.toBe(first)
    const same = (text: string) => withoutTimes(text).replace(/^(guest|kept): .*$/m, "")
    expect(same(first)).toBe(same(second))

    const [, path] = /^kept: .* inspect (.*)$/m.exec(second)!
    const worlds = [path!, path!.replace("demo.cv", "again.cv")]
    const reports = await Effect.runPromise(Effect.forEach(worlds, verify).pipe(Effect.provide(WorldStore.layer)))
    expect(reports[0]!.digest).toBe(reports[1]!.digest)
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
  })

  it("leaves nothing behind when it is interrupted at work", async () => {
    const { terminal, text } = makeTerminal()
    const fiber = Effect.runFork(give(false, terminal))
    await vi.waitFor(() => expect(text()).toContain("replay   proved"), { timeout: 30_000, interval: 5 })
    expect(readdirSync(directory)).not.toEqual([])
    const exit = await Effect.runPromise(Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber)))
    expect(Exit.hasInterrupts(exit)).toBe(true)
    expect(text()).toContain("Stopped.")
    expect(readdirSync(directory)).toEqual([])
  })

  it("says where there is no room", async () => {
    vi.stubEnv("TMPDIR", join(directory, "missing"))
    try {
      const { terminal } = makeTerminal()
      const error = await Effect.runPromise(Effect.flip(give(false, terminal)))
      expect(error).toMatchObject({ _tag: "Hindered", message: expect.stringContaining("set TMPDIR") })
    } finally {
      vi.stubEnv("TMPDIR", directory)
    }
  })
})

it("leaves its last screen on a terminal", { timeout: 60_000 }, async () => {
  const { terminal, text } = makeTerminal({ columns: 80, rows: 24 })
  await Effect.runPromise(give(false, terminal))
  const last = text().slice(text().lastIndexOf("Chronovisor"))
  expect(last).toContain("all 5 proved")
  for (const name of stepNames) expect(last).toContain(`✓ ${name}`)
  expect(last).toContain("bye")
})

describe("each proof compares", { timeout: 60_000 }, () => {
  let recording: Recording
  const spec = () => Effect.runPromise(Effect.flatMap(guestPath, guestSpec))
  const place = mkdtempSync(join(tmpdir(), "demo-proofs-"))
  afterAll(() => rmSync(place, { recursive: true }))

  beforeAll(async () => {
    const made = proveRecord(place, await spec(), watch).pipe(Effect.provide(WorldStore.layer))
    recording = (await Effect.runPromise(made)).recording
  })
  const withSummary = (change: Partial<Recording["summary"]>): Recording => ({
    ...recording,
    summary: { ...recording.summary, ...change },
  })
  const otherConsole = (at: number): Recording => {
    const console = Uint8Array.from(recording.console)
    console[at]! ^= 1
    return { ...recording, console }
  }

  it("a recording of a guest that ran well", () => {
    expect(recording.summary).toMatchObject({ reason: "powered off", exit: 0 })
    const text = new TextDecoder().decode(recording.console)
    expect(text).toContain("summary: 6 of 6 checks ok")
    expect(text).toContain("2 note: the first note")
    expect(text).toMatch(/bye\r?\n$/)
  })

  it("the replay's events, console and digest", async () => {
    expect(await problemOf(proveReplay(withSummary({ events: 1 }), watch))).toContain(
      "events were compared, 1 recorded",
    )
    expect(await problemOf(proveReplay(otherConsole(0), watch))).toContain("console")
    expect(await problemOf(proveReplay(withSummary({ digest: "00" }), watch))).toContain("digest")
    expect(await problemOf(proveReplay(withSummary({ instructions: 1 }), watch))).toContain("instructions")
  })

  it("the second recording's digest and chain of events", async () => {
    const machine = await spec()
    const elsewhere = () => mkdtempSync(join(place, "again-"))
    const holds = await proving(proveRepeat(recording, elsewhere(), machine, watch))
    expect(Exit.isSuccess(holds)).toBe(true)
    const other = await spec().then(original => ({ ...original, seed: "1" }))
    expect(await problemOf(proveRepeat(recording, elsewhere(), other, watch))).toContain("digest")
    expect(await problemOf(proveRepeat({ ...recording, chain: "00" }, elsewhere(), machine, watch))).toContain(
      "events of the second recording",
    )
  })

  it("what a second process makes of a snapshot", async () => {
    // Each has a world of its own to put the snapshot into.
    const inCopy = (name: string, changed: Recording): Recording => {
      const path = join(place, name)
      copyFileSync(recording.path, path)
      return { ...changed, path }
    }
    const otherDigest = inCopy("digest.cv", withSummary({ digest: "00" }))
    expect(await problemOf(proveRestore(otherDigest, watch))).toContain("ended with digest")
    const otherEnd = inCopy("console.cv", otherConsole(recording.console.length - 3))
    expect(await problemOf(proveRestore(otherEnd, watch))).toContain("console")
  })

  it("the report of a wrong bit, down to the instruction", async () => {
    const { lines } = await Effect.runPromise(proveFlip(recording, watch).pipe(Effect.provide(WorldStore.layer)))
    expect(lines.map(plainText)).toEqual([
      "bit 5 of a5 on hart 3 after its instruction 7,000,000: found",
      expect.stringMatching(/^event \d+ \(batch\): its registers have another digest$/),
      expect.stringMatching(/^0x800009a4 {2}c\.xor a5, a4 {2}r\d+\.m0\.h3\.i7000000$/),
      expect.stringMatching(/^hart 3 a5 expected 0x[\da-f]+, found 0x[\da-f]+$/),
    ])
  })
})

it("calls itself as it was called", () => {
  expect(commandName("/usr/bin/cv")).toBe("cv")
  expect(commandName("/usr/bin/chronovisor")).toBe("chronovisor")
  expect(commandName("/src/chronovisor/dist/main.js")).toBe("npm run cv --")
  expect(commandName(undefined)).toBe("npm run cv --")
})
