/**
 * Runs generated programs on QEMU and on this project's machine and compares all architectural state.
 *
 *     npm run differential -- [--short] [--seed N] [--programs N] [--instructions N] [--category NAME,…] [--machine FILE|qemu]
 *
 * `--machine` names a module that exports `runGuest` (see differential/guest.ts); `qemu` checks QEMU against itself.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { type Category, categories } from "./differential/blocks.ts"
import { compare, type Machine } from "./differential/compare.ts"
import { type RunGuest, runQemu } from "./differential/guest.ts"
import { generateProgram } from "./differential/program.ts"

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    programs: { type: "string" },
    instructions: { type: "string" },
    category: { type: "string" },
    machine: { type: "string", default: resolve(import.meta.dirname, "differential/engine.ts") },
  },
})

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

const wholeNumber = (text: string, option: string): number =>
  /^\d+$/.test(text) && Number.isSafeInteger(Number(text))
    ? Number(text)
    : fail(`--${option} takes a whole number, not "${text}".`)

const chosen = (values.category?.split(",") ?? categories).map(name =>
  (categories as readonly string[]).includes(name)
    ? (name as Category)
    : fail(`There is no category "${name}"; there are ${categories.join(", ")}.`),
)
const seed = wholeNumber(values.seed, "seed")
const programs = wholeNumber(values.programs ?? (values.short ? "3" : "25"), "programs")
const instructions = wholeNumber(values.instructions ?? (values.short ? "50000" : "200000"), "instructions")
const passes = 2

const loadMachine = async (): Promise<Machine> => {
  if (values.machine === "qemu") return { name: "qemu again", run: runQemu }
  const path = resolve(values.machine)
  if (!existsSync(path)) fail(`${path} does not exist; name a module that exports runGuest with --machine, or qemu.`)
  const module = (await import(pathToFileURL(path).href)) as { runGuest?: RunGuest }
  return module.runGuest === undefined
    ? fail(`${values.machine} does not export runGuest.`)
    : { name: "engine", run: module.runGuest }
}

const machines = [{ name: "qemu", run: runQemu }, await loadMachine()] as const
let total = 0
let differences = 0
const started = performance.now()
for (let index = 0; index < programs; index++) {
  const program = generateProgram({ seed: seed + index, categories: chosen, instructions, passes })
  const difference = await compare(program, machines)
  total += program.dynamicInstructions
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(
    `seed ${seed + index}: ${program.blocks.length} blocks, ${program.dynamicInstructions} instructions, ` +
      `${difference === undefined ? "no difference" : "DIFFERENT"} (${total} instructions in ${seconds} s)\n`,
  )
  if (difference !== undefined) {
    differences += 1
    process.stdout.write(`${difference.report}\n`)
  }
}
process.stdout.write(`${total} instructions, ${differences} of ${programs} programs differ\n`)
process.exitCode = differences === 0 ? 0 : 1
