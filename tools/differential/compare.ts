/** Runs one program on two machines and, where they differ, narrows down to the block and to the instruction. */
import { disassemble } from "./disassemble.ts"
import type { RunGuest } from "./guest.ts"
import { dumpNames, RAM_SIZE } from "./layout.ts"
import { coarseWatch, type Program, type Watch, watchedImage } from "./program.ts"

export interface Machine {
  readonly name: string
  readonly run: RunGuest
}

export interface Difference {
  /** Counted over all passes. */
  readonly block: number
  /** The first instruction after which the two disagree; absent where only the end of the block shows it. */
  readonly address?: number
  readonly report: string
}

const TIMEOUT_MS = 120_000

const consoles = async (
  program: Program,
  watch: Watch,
  machines: readonly [Machine, Machine],
): Promise<[string, string]> => {
  const image = watchedImage(program, watch)
  const options = { ramBytes: RAM_SIZE, timeoutMs: TIMEOUT_MS }
  const [left, right] = machines
  const outcome = async (machine: Machine): Promise<string> => {
    const { console, finished } = await machine.run(image, options)
    return finished && /^E /m.test(console) ? console : `${console}\n(stopped before its last line)\n`
  }
  return [await outcome(left), await outcome(right)]
}

/** The lines of one block's dump, by name. */
const readDump = (console: string, block: number): Map<string, string> => {
  const lines = console.split("\n")
  const start = lines.indexOf(`D ${block.toString(16).padStart(16, "0")}`)
  if (start < 0) return new Map()
  return new Map(dumpNames.map((name, index) => [name, lines[start + 1 + index]?.trim() ?? "(nothing)"]))
}

const differingWords = (left: Map<string, string>, right: Map<string, string>): string[] =>
  dumpNames.filter(name => left.get(name) !== right.get(name))

/** Number of the first block whose checkpoint line differs, when every block has one. */
const firstDifferingBlock = (left: string, right: string): number | undefined => {
  const [a, b] = [left.split("\n"), right.split("\n")]
  const index = a.findIndex((line, at) => line !== b[at])
  if (index < 0) return undefined
  const number = (line: string | undefined): number => {
    const match = /^C ([0-9a-f]{16}) /.exec(line ?? "")
    return match === null ? Number.POSITIVE_INFINITY : Number.parseInt(match[1]!, 16)
  }
  const found = Math.min(number(a[index]), number(b[index]))
  // Neither side got through the next block, or both did and only the last line differs.
  return Number.isFinite(found) ? found : index
}

/** Undefined when the two machines print the same. */
export const compare = async (
  program: Program,
  machines: readonly [Machine, Machine],
): Promise<Difference | undefined> => {
  const coarse = await consoles(program, coarseWatch, machines)
  if (coarse[0] === coarse[1] && !coarse[0].includes("(stopped")) return undefined
  const fine = await consoles(program, { ...coarseWatch, checkpointMask: 0 }, machines)
  const block = firstDifferingBlock(...fine)
  if (block === undefined) return { block: 0, report: "The runs differ, but not when every block is printed." }

  const info = program.blocks[block % program.blocks.length]!
  const dumpsAt = async (address?: number): Promise<[Map<string, string>, Map<string, string>]> => {
    const stop = address === undefined ? {} : { stop: { block, address } }
    const [left, right] = await consoles(
      program,
      { ...coarseWatch, dumpFirst: block, dumpLast: block, ...stop },
      machines,
    )
    return [readDump(left, block), readDump(right, block)]
  }
  const table = (left: Map<string, string>, right: Map<string, string>): string[] =>
    differingWords(left, right).map(
      name => `    ${name.padEnd(12)} ${machines[0].name} ${left.get(name)}  ${machines[1].name} ${right.get(name)}`,
    )

  const head = `block ${block} (${info.category}, ${info.mode} mode, ${info.addresses.length - 1} instructions at ${info.addresses[0]!.toString(16)})`
  const listing = info.addresses.map(address => `    ${address.toString(16)}  ${disassemble(program.image, address)}`)
  for (let index = 1; index < info.addresses.length; index++) {
    const [left, right] = await dumpsAt(info.addresses[index]!)
    if (differingWords(left, right).length === 0) continue
    const address = info.addresses[index - 1]!
    const before = await dumpsAt(address)
    const operands = dumpNames
      .filter(name => /^[xf]|^fcsr|^mstatus/.test(name))
      .map(name => `${name}=${before[0].get(name)}`)
    return {
      block,
      address,
      report: [
        `${head} differs at ${address.toString(16)}: ${disassemble(program.image, address)}`,
        ...table(left, right),
        `  before it: ${operands.join(" ")}`,
        "  the block:",
        ...listing,
      ].join("\n"),
    }
  }
  const [left, right] = await dumpsAt()
  const words = table(left, right)
  const what = words.length > 0 ? words : ["    no register: memory in the data window or the test page tables"]
  return { block, report: [`${head} differs at its end`, ...what, "  the block:", ...listing].join("\n") }
}
