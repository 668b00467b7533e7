import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, expect, test } from "vitest"
import { WorldStore } from "../../src/events/index.ts"
import { genesis } from "./fixture.ts"

const directory = mkdtempSync(join(tmpdir(), "chronovisor-template-"))
const templates = join(directory, "templates")
afterEach(() => rmSync(templates, { recursive: true, force: true }))

const bytes = new Uint8Array(3 << 20).map((_, at) => (at * 2654435761) >>> 24)
const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest()
const hash = sha256(bytes).toString("hex")

/** Makes a world with the content, reads it back and checks everything. */
const make = (name: string) =>
  Effect.gen(function* () {
    const store = yield* WorldStore
    const world = yield* store.create(join(directory, `${name}.cv`), genesis, {
      contents: [{ hash, bytes }],
      templates,
    })
    yield* world.verifyContents
    expect(Buffer.from(yield* world.readBlob(hash)).equals(bytes)).toBe(true)
    expect((yield* world.verify).bad).toBeNull()
  }).pipe(Effect.scoped, Effect.provide(WorldStore.layer), Effect.runPromise)

const template = () => join(templates, readdirSync(templates)[0]!)

test("the second world of the same contents begins as a copy", async () => {
  await make("first")
  const kept = readFileSync(template())
  await make("second")
  expect(readFileSync(template()).equals(kept)).toBe(true)
})

test.each([
  ["cut short", () => truncateSync(template(), 100_000)],
  ["emptied", () => truncateSync(template(), 0)],
  ["overwritten", () => writeFileSync(template(), "no database")],
  [
    "changed by one bit",
    () => {
      const kept = readFileSync(template())
      kept[kept.length >> 1]! ^= 1
      writeFileSync(template(), kept)
    },
  ],
])("a template that was %s is made anew", async (what, damage) => {
  await make(`before ${what}`)
  damage()
  await make(`after ${what}`)
  const kept = readFileSync(template())
  expect(sha256(kept.subarray(0, -32)).equals(kept.subarray(-32))).toBe(true)
  await make(`again ${what}`)
  expect(readFileSync(template()).equals(kept)).toBe(true)
})
