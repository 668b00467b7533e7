import { spawn } from "node:child_process"
import { copyFileSync, existsSync } from "node:fs"
import { expect, test } from "vitest"
import { Divergence, HistoryEnded } from "../../src/session/errors.ts"
import { createSnapshot, record, replay, resume, verify } from "../../src/session/session.ts"
import { embedded, failure, run, script, Watcher, withPath } from "./embedded.ts"

const COMMANDS = "add first note\nlist\ncrash\nadd second note\nlist\nstat\nquit\n"

test(
  "the same script gives the same history, recorded or not, and a replay of it shows the same console",
  () =>
    withPath(async path => {
      const [first, second, unrecorded] = [new Watcher(), new Watcher(), new Watcher()]
      const recorded = await run(record(path, embedded(), first, script(COMMANDS)))
      const again = await run(record(path.replace(".cv", "2.cv"), embedded(), second, script(COMMANDS)))
      const plain = await run(record(null, embedded(), unrecorded, script(COMMANDS)))
      expect(recorded.reason).toBe("powered off")
      expect(recorded.exit).toBe(0)
      expect(first.console).toContain("2 note: first note")
      expect(again.digest).toBe(recorded.digest)
      expect(plain.digest).toBe(recorded.digest)
      expect(second.console).toBe(first.console)
      expect(unrecorded.console).toBe(first.console)

      let console = ""
      const replayed = await run(replay(path, { show: bytes => (console += new TextDecoder("latin1").decode(bytes)) }))
      expect(replayed.digest).toBe(recorded.digest)
      expect(replayed.events).toBe(recorded.events)
      expect(console).toBe(first.console)
      expect((await run(verify(path))).events).toBe(recorded.events)
    }),
  60_000,
)

test(
  "another seed gives another history",
  () =>
    withPath(async path => {
      const one = await run(record(path, embedded(), new Watcher(), script("quit\n")))
      const two = await run(record(null, embedded({ seed: "1" }), new Watcher(), script("quit\n")))
      expect(two.digest).not.toBe(one.digest)
    }),
  60_000,
)

test(
  "a run cut at an exact instruction resumes to the same end",
  () =>
    withPath(async path => {
      const whole = await run(record(null, embedded(), new Watcher(), script("quit\n")))
      const instructions = 12_345_678
      const part = await run(
        record(path, embedded(), new Watcher(), { until: { kind: "instret", instructions }, script: null }),
      )
      expect(part.reason).toBe("condition")
      expect(part.instructions).toBe(instructions)
      const rest = await run(resume(path, new Watcher(), script("quit\n")))
      expect(rest.instructions).toBe(whole.instructions - instructions)
      expect(rest.digest).toBe(whole.digest)
      expect((await run(replay(path))).digest).toBe(whole.digest)
      expect(await failure(resume(path, new Watcher(), script("quit\n")))).toBeInstanceOf(HistoryEnded)
    }),
  60_000,
)

test(
  "a replay from any snapshot ends as the whole one does",
  () =>
    withPath(async path => {
      const recorded = await run(record(path, embedded(), new Watcher(), script(COMMANDS)))
      for (const [name, round] of [
        ["early", 20],
        ["middle", 300],
        ["late", 900],
      ] as const) {
        const snapshot = await run(createSnapshot(path, name, { round, machine: 0, hart: 0, instret: 0 }))
        expect(snapshot.position.round).toBeLessThanOrEqual(round)
        expect((await run(replay(path, { from: name }))).digest).toBe(recorded.digest)
      }
    }),
  120_000,
)

test(
  "one flipped bit is found at its instruction",
  () =>
    withPath(async path => {
      await run(record(path, embedded({ bootargs: "auto" }), new Watcher(), script("")))
      for (const [hart, register, executed] of [
        [0, 10, 1_000_003],
        [2, 15, 3_000_000],
        [3, 2, 5_432_101],
      ] as const) {
        const error = await failure(replay(path, { flip: { hart, register, bit: 17, executed } }))
        expect(error).toBeInstanceOf(Divergence)
        const { instruction } = error as Divergence
        expect(instruction?.position).toMatch(new RegExp(`h${hart}.i${executed}$`))
        expect(instruction?.registers).toHaveLength(1)
      }
    }),
  120_000,
)

/** Waits for a child to have run for a while, then ends it as hard as can be. */
const killAfter = (path: string, milliseconds: number): Promise<void> =>
  new Promise(resolve => {
    const recorder = new URL("./recorder.ts", import.meta.url).pathname
    const child = spawn(process.execPath, [recorder, path], { stdio: "ignore" })
    child.on("close", () => resolve())
    setTimeout(() => child.kill("SIGKILL"), milliseconds)
  })

test(
  "a killed recording opens, verifies and resumes to the end it would have had",
  () =>
    withPath(async path => {
      const whole = await run(record(null, embedded(), new Watcher(), script(COMMANDS)))
      for (let round = 0; round < 4; round++) {
        const world = path.replace(".cv", `${round}.cv`)
        await killAfter(world, 500 + round * 150)
        if (!existsSync(world)) continue
        expect((await run(verify(world))).events).toBeGreaterThan(0)
        const copy = world.replace(".cv", "-copy.cv")
        copyFileSync(world, copy)
        const result = await run(resume(world, new Watcher(), script(COMMANDS))).catch(error => error)
        if (result instanceof HistoryEnded) continue
        expect(result.reason).toBe("powered off")
        expect((await run(replay(world))).digest).toBe(result.digest)
      }
      expect(whole.reason).toBe("powered off")
    }),
  120_000,
)
