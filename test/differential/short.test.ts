import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { categories } from "../../tools/differential/blocks.ts"
import { compare } from "../../tools/differential/compare.ts"
import { runGuest } from "../../tools/differential/engine.ts"
import { runQemu } from "../../tools/differential/guest.ts"
import { generateProgram } from "../../tools/differential/program.ts"

const hasQemu = spawnSync("qemu-system-riscv64", ["--version"]).status === 0
const machines = [
  { name: "qemu", run: runQemu },
  { name: "engine", run: runGuest },
] as const

describe("generated programs leave the same state on this machine as on QEMU", () => {
  for (const seed of [1, 2, 3])
    it(`seed ${seed}, all categories`, { timeout: 60_000 }, async ({ skip }) => {
      skip(!hasQemu, "qemu-system-riscv64 is not installed; install it to compare this machine with QEMU.")
      const program = generateProgram({ seed, categories, instructions: 50_000, passes: 2 })
      expect(program.dynamicInstructions).toBeGreaterThan(100_000)
      expect((await compare(program, machines))?.report).toBeUndefined()
    })
})
