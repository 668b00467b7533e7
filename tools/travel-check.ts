/**
 * Whether what stock gdb lands on is what a run straight forward has there.
 *
 *     node tools/travel-check.ts W [--positions N] [--seed S] [--tier TIER]
 *
 * gdb-multiarch goes to N places (100) of a recorded world, drawn from all its instructions, and makes a step back at each: of the hart
 * whose turn it is and, at every other place, of another. Wherever it comes to, the registers it shows, some CSRs and the digest of
 * everything are noted. Then a machine of its own goes once through the history, from the beginning, with no checkpoint, and is
 * compared at each of these places; `--tier` says who executes its instructions. Wants dist/main.js. Exit code 1: there is a difference.
 */
import { parseArgs } from "node:util"
import { Effect, Stream } from "effect"
import { Inspection } from "../src/debugger/index.ts"
import { formatPosition, origin, type Position, parsePosition } from "../src/events/index.ts"
import { hex } from "../src/machine/digest.ts"
import type { Machine } from "../src/machine/machine.ts"
import { policyNamed } from "../src/session/tier.ts"
import { chanceOf, shuffled } from "./chance.ts"
import { secondsSince, withWorld } from "./cv.ts"
import { type GdbClient, openGdb } from "./gdb-client.ts"
import { ms, quantile } from "./quantile.ts"
import { positionsAfter, straightRun } from "./straight-run.ts"

const CSRS = ["sstatus", "sepc", "scause", "stval", "stvec", "sscratch", "satp", "mstatus", "mie", "mip", "fcsr"]
const COUNTERS = ["instret", "cycle", "time", "stimecmp", "priv"]
/** ra to t6 and pc, as `info registers` shows them. */
const GENERAL_COUNT = 32
const START = formatPosition(origin)

/** Where gdb came to, and what it showed there. */
interface Landing {
  readonly position: string
  readonly hart: number
  readonly registers: ReadonlyMap<string, bigint>
  readonly digest: string
  readonly seconds: number
}

/** A place that was gone to, and the step back from there. */
interface Visit {
  readonly asked: string
  readonly place: Landing
  readonly step: Landing
}

const say = (line: string) => process.stdout.write(`${line}\n`)

const fail = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}

const numberOf = (name: string, text: string): number => {
  const number = Number(text)
  return Number.isSafeInteger(number) && number > 0 ? number : fail(`--${name} ${text} is no number above 0.`)
}

const readCommandLine = () => {
  const { values, positionals } = parseArgs({
    options: {
      positions: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      tier: { type: "string", default: "auto" },
    },
    allowPositionals: true,
  })
  const [world, ...more] = positionals
  if (world === undefined || more.length > 0)
    return fail("usage: node tools/travel-check.ts W [--positions N] [--seed S] [--tier TIER]")
  const { positions, seed, tier } = values
  if (policyNamed(tier) === undefined)
    return fail(`${tier} is no tier; give auto, interpreter, translator, or a number to draw thresholds by.`)
  return { world, count: numberOf("positions", positions), seed: numberOf("seed", seed), tier }
}

/** The one thing in an answer that looks as it has to. @throws Error where gdb answered something else */
const only = (text: string, pattern: RegExp): string => {
  const found = pattern.exec(text)?.[0]
  if (found === undefined) throw new Error(`gdb answered: ${text}`)
  return found
}

const registersIn = (text: string): ReadonlyMap<string, bigint> =>
  new Map([...text.matchAll(/^(\w+) +(0x[\da-f]+)/gm)].map(([, name, value]) => [name!, BigInt(value!)]))

/** Where gdb stands, as it shows it. */
const look = async (gdb: GdbClient, seconds: number): Promise<Landing> => {
  const ask = async (command: string) => (await gdb.ask(command)).text
  const general = registersIn(await ask("info registers"))
  const special = registersIn(await ask(`info registers ${[...CSRS, ...COUNTERS].join(" ")}`))
  if (general.size !== GENERAL_COUNT || special.size !== CSRS.length + COUNTERS.length)
    throw new Error(`gdb showed ${general.size} general registers and ${special.size} others`)
  return {
    position: only(await ask("monitor position"), /r\d+\.m\d+\.h\d+\.i\d+/),
    hart: Number(only(await ask("output $_thread"), /\d+/)) - 1,
    registers: new Map([...general, ...special]),
    digest: only(await ask("monitor digest"), /\b[\da-f]{32}\b/),
    seconds,
  }
}

/** Goes to a place, has gdb look again, and steps a hart back: the one whose turn it is, or the one `others` after it. */
const visit = async (gdb: GdbClient, position: Position, others: number, harts: number): Promise<Visit> => {
  const asked = formatPosition(position)
  const { seconds } = await gdb.ask(`monitor seek ${asked}`)
  await gdb.ask("stepi")
  await gdb.ask(`thread ${1 + ((position.hart + others) % harts)}`)
  const place = await look(gdb, seconds)
  const back = await gdb.ask("reverse-stepi")
  return { asked, place, step: await look(gdb, back.seconds) }
}

const visitAll = async (world: string, positions: readonly Position[], harts: number): Promise<readonly Visit[]> => {
  const gdb = await openGdb(world)
  const visits: Visit[] = []
  try {
    for (const [order, position] of positions.entries())
      visits.push(await visit(gdb, position, harts > 1 ? order % 2 : 0, harts))
  } finally {
    gdb.close()
  }
  return visits
}

/** What of a machine is not as gdb showed it. */
const differencesAt = (machine: Machine, { position, hart, registers, digest }: Landing): readonly string[] => {
  const inspection = new Inspection(machine)
  const wrong = [...registers].flatMap(([name, shown]) => {
    const value = inspection.register(hart, name)
    return value === shown ? [] : [`${name} is 0x${value?.toString(16)}, and gdb shows 0x${shown.toString(16)}`]
  })
  const whole = hex(machine.digest())
  if (whole !== digest) wrong.push(`the digest is ${whole}, and monitor digest says ${digest}`)
  return wrong.map(what => `${position}, hart ${hart}: ${what}`)
}

/** Where gdb did not come to the place it was to go to, or not one instruction of its hart back from there. */
const strays = ({ asked, place, step }: Visit, executed: readonly number[]): readonly string[] => {
  const before = executed[step.hart]! - 1
  const { hart, instret } = parsePosition(step.position)
  const isBefore = before < 0 ? step.position === START : hart === step.hart && instret === before
  return [
    ...(place.position === asked ? [] : [`${asked}: monitor seek came to ${place.position}`]),
    ...(isBefore ? [] : [`${asked}: reverse-stepi of hart ${step.hart}, at ${before + 1}, came to ${step.position}`]),
  ]
}

/** Goes through the history once, and gives all that differs. */
const compare = (world: string, tier: string, visits: readonly Visit[]): Promise<readonly string[]> => {
  const landings = Map.groupBy(
    visits.flatMap(({ place, step }) => [place, step]),
    ({ position }) => position,
  )
  const from = Map.groupBy(visits, ({ place }) => place.position)
  const differences: string[] = []
  const lookAt = (machine: Machine, position: Position) => {
    const text = formatPosition(position)
    const executed = Array.from({ length: machine.config.harts }, (_, hart) => machine.core.executed(hart))
    for (const landing of landings.get(text)!) differences.push(...differencesAt(machine, landing))
    for (const left of from.get(text) ?? []) differences.push(...strays(left, executed))
  }
  const positions = [...landings.keys()].map(parsePosition)
  // A place that it does not come to is a difference as well.
  return withWorld(world, tier, recorded =>
    straightRun(recorded, positions, lookAt).pipe(
      Effect.catchDefect(defect => Effect.sync(() => differences.push(`the run straight forward: ${defect}`))),
      Effect.as(differences),
    ),
  )
}

/** How many instructions all harts together have executed at the end, and how many harts there are. */
const sizeOf = (world: string): Promise<{ readonly instructions: number; readonly harts: number }> =>
  withWorld(world, "auto", recorded =>
    Effect.gen(function* () {
      const executed = Array.from({ length: recorded.genesis.machines[0].harts }, () => 0)
      yield* Stream.runForEach(recorded.events({ kinds: ["batch"] }), event =>
        Effect.sync(() => {
          if (event.kind === "batch") for (const { hart, to } of event.payload.harts) executed[hart] = to
        }),
      )
      return { instructions: executed.reduce((a, b) => a + b), harts: executed.length }
    }),
  )

const drawPositions = (world: string, instructions: number, count: number, seed: number) => {
  const chance = chanceOf(seed)
  const counts = Array.from({ length: count }, () => chance(instructions))
  return withWorld(world, "auto", recorded =>
    Effect.map(positionsAfter(recorded, counts), positions => shuffled(positions, chance)),
  )
}

/** How long something took, and where it took longest: the place that was gone to. */
const sayTimes = (what: string, visits: readonly Visit[], landing: (visit: Visit) => Landing) => {
  if (visits.length === 0) return
  const times = visits.map(visit => landing(visit).seconds)
  const [half, most, longest] = [0.5, 0.99, 1].map(part => quantile(times, part))
  const where = visits[times.indexOf(longest!)]!.asked
  say(`${what.padEnd(44)}${times.length} times, p50 ${ms(half!)}, p99 ${ms(most!)}, max ${ms(longest!)} at ${where}`)
}

const { world, count, seed, tier } = readCommandLine()
const { instructions, harts } = await sizeOf(world)
say(`${world}: ${(instructions / 1e9).toFixed(2)} G instructions on ${harts} harts; ${count} places, seed ${seed}`)
const visits = await visitAll(world, await drawPositions(world, instructions, count, seed), harts)
const place = (visit: Visit) => visit.place
const step = (visit: Visit) => visit.step
const isOther = (visit: Visit) => parsePosition(visit.place.position).hart !== visit.place.hart
sayTimes("monitor seek", visits, place)
sayTimes(
  "reverse-stepi of the hart whose turn it is",
  visits.filter(visit => !isOther(visit)),
  step,
)
sayTimes("reverse-stepi of another hart", visits.filter(isOther), step)
const begin = process.hrtime.bigint()
const differences = await compare(world, tier, visits)
say(`run straight forward, tier ${tier}: ${secondsSince(begin).toFixed(1)} s`)
for (const difference of differences) say(difference)
const compared = `${2 * visits.length} landings: ${GENERAL_COUNT} registers, ${CSRS.length + COUNTERS.length} CSRs and the digest of everything`
say(`${compared}; ${differences.length === 0 ? "no difference" : `${differences.length} differences`}`)
process.exit(differences.length === 0 ? 0 : 1)
