import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import { WorldInUse, WorldStore } from "../../src/events/index.ts"
import { appendBatch, failure, genesis, run, snapshotPages, withPath } from "./fixture.ts"

const recorder = fileURLToPath(new URL("./recorder.ts", import.meta.url))

const start = (mode: string, path: string) => {
  const child = spawn(process.execPath, ["--expose-gc", recorder, mode, path], { stdio: ["ignore", "pipe", "inherit"] })
  const lines: Array<string> = []
  const reader = createInterface({ input: child.stdout })
  const first = new Promise<string>(resolve => reader.once("line", resolve))
  reader.on("line", line => lines.push(line))
  return { child, lines, first }
}

const exit = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise(resolve => child.once("exit", resolve))

describe("a recording process", () => {
  test(
    "killed at five moments leaves a file that holds all that was durable, verifies and can be resumed",
    () =>
      withPath(async path => {
        let mode = "create"
        let before = 0
        for (const delay of [5, 60, 130, 210, 333]) {
          const { child, lines, first } = start(mode, path)
          expect(await first).toBe("recording")
          await new Promise(resolve => setTimeout(resolve, delay))
          child.kill("SIGKILL")
          await exit(child)
          const told = Math.max(before, ...lines.slice(1).map(Number).filter(Number.isSafeInteger))
          const found = await run(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).openReadOnly(path)
              return yield* world.verify
            }),
          )
          expect(found.bad).toBeNull()
          expect(found.events - 1).toBeGreaterThanOrEqual(told)
          before = found.events - 1
          mode = "open"
        }
        await run(
          Effect.gen(function* () {
            const { log, truncation } = yield* (yield* WorldStore).open(path)
            expect(truncation).toBeNull()
            expect(appendBatch(log, before + 1)).toBe(before + 1)
            expect((yield* log.flush).seq).toBe(before + 1)
          }),
        )
        for (const rest of ["-wal", "-shm", ".lock", ".lock-journal"]) expect(existsSync(path + rest)).toBe(false)
      }),
    60_000,
  )

  test(
    "killed while it writes snapshots leaves each whole or not at all, and those that were durable",
    () =>
      withPath(async path => {
        await run(Effect.flatMap(WorldStore, store => store.create(path, genesis)))
        for (const delay of [0, 5, 11, 23, 37, 64]) {
          const { child, lines, first } = start("snapshots", path)
          expect(await first).toBe("recording")
          // Another is begun before one is durable: what follows falls into its writing.
          while (lines.length < 2) await new Promise(resolve => setTimeout(resolve, 1))
          await new Promise(resolve => setTimeout(resolve, delay))
          child.kill("SIGKILL")
          await exit(child)
          await run(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).openReadOnly(path)
              expect((yield* world.verify).bad).toBeNull()
              yield* world.verifyContents
              const snapshots = yield* world.snapshots
              const names = snapshots.map(({ name }) => name)
              expect(names).toEqual(names.map((_, order) => `s${order + 1}`))
              for (const name of lines.slice(1)) expect(names).toContain(name)
              const last = snapshots.at(-1)
              if (last === undefined) return
              const expected = new Map<number, number>()
              for (let number = 1; number <= snapshots.length; number++)
                for (const { index } of snapshotPages(number)) expected.set(index, number)
              const found = yield* Stream.runCollect(world.snapshotPages(last.id))
              expect(new Map(found.map(({ index, bytes }) => [index, Buffer.from(bytes).readUInt32LE(0)]))).toEqual(
                new Map([...expected].sort(([a], [b]) => a - b)),
              )
            }),
          )
        }
        const { snapshots } = await run(
          Effect.gen(function* () {
            const world = yield* (yield* WorldStore).openReadOnly(path)
            return { snapshots: yield* world.snapshots }
          }),
        )
        expect(snapshots.length).toBeGreaterThan(5)
      }),
    120_000,
  )

  test(
    "has the world for itself until it ends; others may read",
    () =>
      withPath(async path => {
        await run(
          Effect.gen(function* () {
            const store = yield* WorldStore
            yield* store.create(path, (yield* Effect.promise(() => import("./fixture.ts"))).genesis)
            expect(yield* Effect.flip(Effect.scoped(store.open(path)))).toBeInstanceOf(WorldInUse)
            const other = start("open", path)
            expect(yield* Effect.promise(() => other.first)).toBe("WorldInUse")
            yield* Effect.promise(() => exit(other.child))
          }),
        )
        const holder = start("hold", path)
        try {
          expect(await holder.first).toBe("recording")
          // The lock does not go with what is collected meanwhile.
          await new Promise(resolve => setTimeout(resolve, 500))
          const error = await failure(Effect.flatMap(WorldStore, store => store.open(path)))
          expect(error.message).toMatch(/is in use: another chronovisor is recording/)
          expect(await failure(Effect.flatMap(WorldStore, store => store.remove(path)))).toBeInstanceOf(WorldInUse)
          const events = await run(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).openReadOnly(path)
              return (yield* world.verify).events
            }),
          )
          expect(events).toBe(1)
        } finally {
          holder.child.kill("SIGKILL")
          await exit(holder.child)
        }
        await run(Effect.flatMap(WorldStore, store => store.open(path)))
        await run(Effect.flatMap(WorldStore, store => store.remove(path)))
        expect(existsSync(path)).toBe(false)
      }),
    60_000,
  )
})
