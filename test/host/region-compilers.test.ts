import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { expect, test } from "vitest"
import { buildHartModule } from "../../src/hart/hart-module.ts"
import { readKept } from "../../src/host/kept-regions.ts"
import { keptFile, threadCompiler } from "../../src/host/region-compilers.ts"
import type { CompiledBatch, RegionCompiler, RegionJob } from "../../src/machine/machine-config.ts"
import { assemble } from "../../src/riscv/assembler.ts"

const jobOf = (number: number, source: string, entry = 0): RegionJob => {
  const bytes = new Uint8Array(4096)
  bytes.set(assemble(source).bytes)
  return {
    number,
    physicalRam: null,
    entry,
    isWide: false,
    bytes,
    known: new Uint8Array(2048).fill(1),
    targets: new Uint16Array(2048),
  }
}

const batchesOf = async (compiler: RegionCompiler, count: number): Promise<readonly CompiledBatch[]> => {
  const batches: CompiledBatch[] = []
  while (batches.length < count) {
    await setTimeout(5)
    batches.push(...compiler.finished())
  }
  return batches
}
const jobs = [jobOf(3, "csrr a0, mhartid\n ret"), jobOf(4, "again: addi a0, a0, 1\n bnez a0, again\n ecall")]
const { helpers } = buildHartModule()

test("a thread compiles batches of regions, and says of what is none that it is none", async () => {
  const compiler = threadCompiler()(helpers)
  compiler.compile(jobs)
  const [batch] = await batchesOf(compiler, 1)
  expect(WebAssembly.Module.exports(batch!.module).map(({ name }) => name)).toEqual(["region0"])
  expect(batch).toMatchObject({ regions: [{ number: 4, entries: [0], pieces: [[0, 8]] }], refused: [3] })
  expect(batch!.regions[0]!.code).toEqual(jobs[1]!.bytes.slice(0, 8))
  expect(batch!.isEarlier).toBe(false)
  expect(compiler.finished()).toEqual([])
}, 20_000)

test("what it compiled is there for the next machine of the same guest", async () => {
  const directory = mkdtempSync(join(tmpdir(), "chronovisor-regions-"))
  try {
    const file = keptFile(directory, ["guest"])
    expect(keptFile(directory, ["another"])).not.toBe(file)
    const compiler = threadCompiler(file)(helpers)
    compiler.compile(jobs)
    const [made] = await batchesOf(compiler, 1)
    while (readKept(file).length === 0) await setTimeout(5)
    const next = threadCompiler(file)(helpers)
    next.met!([1, made!.regions[0]!.page])
    next.met!([made!.regions[0]!.page])
    next.compile([jobs[0]!])
    const [earlier, ...more] = await batchesOf(next, 2)
    expect(more).toMatchObject([{ refused: [3] }])
    expect(earlier).toEqual({ ...made, module: expect.anything(), refused: [], isEarlier: true })
    expect(WebAssembly.Module.exports(earlier!.module)).toEqual(WebAssembly.Module.exports(made!.module))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 20_000)
