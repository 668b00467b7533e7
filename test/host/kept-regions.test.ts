import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type KeptBatch, keepBatch, readKept } from "../../src/host/kept-regions.ts"

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "chronovisor-kept-"))
  file = join(directory, "cache", "guest.regions")
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const batchOf = (seed: number, bytes = 300): KeptBatch => ({
  bytes: new Uint8Array(bytes).fill(seed),
  regions: [
    {
      number: seed,
      physicalRam: null,
      isWide: seed % 2 === 0,
      entries: [seed * 2, 40],
      pieces: [[seed * 2, seed * 2 + 4]],
      code: new Uint8Array([seed, 1, 2, 3]),
      page: -seed,
    },
  ],
})
const readAll = (): readonly KeptBatch[] => readKept(file).map(({ read }) => read())
const batches = [1, 2, 3].map(seed => batchOf(seed))
const keepAll = (): void => {
  for (const batch of batches) keepBatch(file, batch)
}

test("what is kept is read again, in its order", () => {
  keepAll()
  expect(readAll()).toEqual(batches)
  expect(readAll()[0]!.regions[0]!.code.buffer.byteLength).toBe(4)
  expect(readKept(file).map(({ pages }) => pages)).toEqual([[-1], [-2], [-3]])
})

test("there is nothing where nothing was kept", () => expect(readAll()).toEqual([]))

test("of a file that was cut short the whole batches are read, and it begins anew", () => {
  keepAll()
  truncateSync(file, statSync(file).size - 1)
  expect(readAll()).toEqual(batches.slice(0, 2))
  expect(readAll()).toEqual([])
})

test("nothing from a changed byte on is read", () => {
  keepAll()
  const whole = readFileSync(file)
  const second = whole.length / 3
  for (const at of [0, 17, second + 3, second + 18, second + 30, whole.length - 1]) {
    const changed = Buffer.from(whole)
    changed[at]! ^= 0x10
    writeFileSync(file, changed)
    expect(readAll(), `byte ${at}`).toEqual(batches.slice(0, Math.floor(at / second)))
  }
})

test("what is no file of regions is none", () => {
  keepAll()
  writeFileSync(file, "something else altogether, and rather long")
  expect(readAll()).toEqual([])
  appendFileSync(file, "x")
  expect(readAll()).toEqual([])
})

test("a guest's file does not grow without end, and the files of few guests are kept", async () => {
  for (let seed = 1; seed <= 40; seed++) keepBatch(file, batchOf(seed, 1 << 20))
  expect(statSync(file).size).toBeLessThanOrEqual(16 << 20)
  expect(readAll()).toHaveLength(15)
  for (let guest = 0; guest < 12; guest++) keepBatch(join(directory, "cache", `${guest}.regions`), batchOf(guest))
  expect(await readdir(join(directory, "cache"))).toHaveLength(8)
})

test("a place where nothing can be written is none", () => {
  writeFileSync(join(directory, "cache"), "")
  keepAll()
  expect(readAll()).toEqual([])
})
