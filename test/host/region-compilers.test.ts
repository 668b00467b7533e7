import { setTimeout } from "node:timers/promises"
import { expect, test } from "vitest"
import { buildHartModule } from "../../src/hart/hart-module.ts"
import { threadCompiler } from "../../src/host/region-compilers.ts"
import type { CompiledBatch, RegionJob } from "../../src/machine/machine-config.ts"
import { assemble } from "../../src/riscv/assembler.ts"

const jobOf = (number: number, source: string, entry = 0): RegionJob => {
  const bytes = new Uint8Array(4096)
  bytes.set(assemble(source).bytes)
  return {
    place: { number, info: 0, physicalRam: null },
    entry,
    isWide: false,
    bytes,
    known: new Uint8Array(2048).fill(1),
    targets: new Uint16Array(2048),
  }
}

test("a thread compiles batches of regions, and says of what is none that it is none", async () => {
  const compiler = threadCompiler(buildHartModule().helpers)
  compiler.compile([jobOf(3, "csrr a0, mhartid\n ret"), jobOf(4, "again: addi a0, a0, 1\n bnez a0, again\n ecall")])
  const batches: CompiledBatch[] = []
  while (batches.length === 0) {
    await setTimeout(5)
    batches.push(...compiler.finished())
  }
  const [{ module, regions }] = batches as [CompiledBatch]
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(["region0"])
  expect(regions).toEqual([
    { number: 4, entries: [0], pieces: [[0, 8]] },
    { number: 3, entries: [], pieces: [] },
  ])
  expect(compiler.finished()).toEqual([])
}, 20_000)
