/**
 * Runs the riscv-tests on this project's machine.
 *
 *     npm run conformance -- DIRECTORY
 *
 * DIRECTORY holds the built tests, `isa` in a build of https://github.com/riscv-software-src/riscv-tests: files named like
 * rv64ui-p-add, for the environments p (machine mode, physical addresses) and v (user mode, virtual memory). Each test runs twice
 * and must end in the same state both times. Exit code 0: all passed, 1: some failed, 2: nothing to run.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { type ElfTest, failureOf, readElfTest } from "./conformance/elf-test.ts"

/** What this machine has, in the order of the table. */
const groups = ["ui", "um", "ua", "uf", "ud", "uc", "mi", "si", "uzba", "uzbb", "uzbs"] as const
const environments = ["p", "v"] as const

const fail = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}

const [argument, ...rest] = process.argv.slice(2)
if (argument === undefined || rest.length > 0) fail("Name the one directory with the built riscv-tests.")
const directory = resolve(argument!)
if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
  fail(`${directory} is not a directory; name the one with the built riscv-tests.`)

const namePattern = /^rv64([a-z]+)-([pv])-[^.]+$/
const tests: { readonly group: string; readonly environment: string; readonly test: ElfTest }[] = []
/** Tests of extensions this machine does not have, by group. */
const foreign = new Map<string, number>()
for (const name of readdirSync(directory).sort()) {
  const match = namePattern.exec(name)
  const path = join(directory, name)
  if (match === null || !statSync(path).isFile()) continue
  const [, group, environment] = match as unknown as [string, string, string]
  const test = readElfTest(name, readFileSync(path))
  if (test === undefined) continue
  if ((groups as readonly string[]).includes(group)) tests.push({ group, environment, test })
  else foreign.set(group, (foreign.get(group) ?? 0) + 1)
}
if (tests.length === 0)
  fail(
    `${directory} holds no built riscv-tests (RV64 programs named like rv64ui-p-add); build them there or name another.`,
  )

const passed = new Map<string, number>()
const total = new Map<string, number>()
const failures: string[] = []
const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
for (const { group, environment, test } of tests) {
  const key = `${group}-${environment}`
  count(total, key)
  const failure = failureOf(test)
  if (failure === undefined) count(passed, key)
  else failures.push(`${test.name}: ${failure}`)
}

const cell = (key: string): string => (total.has(key) ? `${passed.get(key) ?? 0}/${total.get(key)}` : "-").padStart(9)
const lines = [`${"".padEnd(8)}${environments.map(environment => environment.padStart(9)).join("")}`]
for (const group of groups) {
  if (environments.every(environment => !total.has(`${group}-${environment}`))) continue
  lines.push(`rv64${group}`.padEnd(8) + environments.map(environment => cell(`${group}-${environment}`)).join(""))
}
lines.push(`${tests.length - failures.length} of ${tests.length} tests passed, each twice with the same final state`)
if (foreign.size > 0) {
  const list = [...foreign].map(([group, number]) => `rv64${group} (${number})`).join(", ")
  lines.push(`not run, for extensions this machine does not have: ${list}`)
}
process.stdout.write(`${[...failures, ...lines].join("\n")}\n`)
process.exitCode = failures.length === 0 ? 0 : 1
