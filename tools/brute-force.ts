/**
 * Questions to a history against brute force.
 *
 *     node tools/brute-force.ts W [--words N] [--seed S]
 *
 * N words (12) of a recorded Linux's memory are chosen: words that change, words that do not though their page is written all the time,
 * and words that nobody writes to. `cv last-write` and `cv when` are asked about them. Then a machine of its own goes once through the
 * history, by the interpreter, and looks at every word after every single instruction; what it saw is compared with the answers. Memory
 * that differs between two checkpoints has to be among what is kept as written between them. For a world of up to some hundred million
 * instructions:
 *
 *     cv run debian --cpus 2 --until instret:120000000 --name brute
 *
 * Wants dist/main.js. Exit code 1: there is a difference.
 */
import { parseArgs } from "node:util"
import { compareWithMarks } from "./brute-force/unmarked-lines.ts"
import { type Moment, type Testimony, testify, type Write } from "./brute-force/witness.ts"
import { type Above, choosePredicates, chooseWords, WORD_BYTES, type Word } from "./brute-force/words.ts"
import { chanceOf } from "./chance.ts"
import { cv, secondsSince, withWorld } from "./cv.ts"

const PREDICATES = 3
/** So many moments `cv when` lists at most. */
const LISTED_MAX = 1000

/** As `cv last-write --json` prints it. */
interface LastWrite {
  readonly position: string
  readonly after: string
  readonly hart: number
  readonly virtualNs: number
  readonly was: string
  readonly is: string
}

/** As `cv when --json` prints it, with the value of the word. */
interface Found {
  readonly position: string
  readonly hart: number
  readonly virtualNs: number
  readonly pc: string
  readonly value: string
}

/** What was answered where all moments are wanted, and where the first or the last is. */
interface Answers {
  readonly all: readonly Found[]
  readonly one: { readonly flag: "--first" | "--last"; readonly found: readonly Found[] }
}

interface Compared {
  readonly row: readonly string[]
  readonly problems: readonly string[]
}

const say = (line: string) => process.stdout.write(`${line}\n`)

const fail = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}

const hexOf = (value: bigint): string => `0x${value.toString(16)}`

const readCommandLine = () => {
  const { values, positionals } = parseArgs({
    options: { words: { type: "string", default: "12" }, seed: { type: "string", default: "1" } },
    allowPositionals: true,
  })
  const [world, ...more] = positionals
  const [words, seed] = [Number(values.words), Number(values.seed)]
  if (world === undefined || more.length > 0 || !(words > 0) || !Number.isInteger(seed))
    return fail("usage: node tools/brute-force.ts W [--words N] [--seed S]")
  return { world, words, seed }
}

const askLastWrite = (world: string, { name }: Word): LastWrite | null =>
  JSON.parse(cv("last-write", world, name, "--bytes", String(WORD_BYTES), "--json").text)

const askWhen = (world: string, { text, word }: Above, ...flags: readonly string[]): readonly Found[] => {
  const value = `mem64(sym:${word.name})`
  const found = JSON.parse(cv("when", world, text, ...flags, "--print", value, "--json").text)
  return found.map((moment: Record<string, string>) => ({ ...moment, value: moment[value] }))
}

const askAll = (world: string, predicate: Above, flag: "--first" | "--last"): Answers => ({
  all: askWhen(world, predicate),
  one: { flag, found: askWhen(world, predicate, flag) },
})

/** Fields that are not what they have to be. */
const unlike = (
  what: string,
  answer: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): readonly string[] =>
  Object.entries(expected).flatMap(([name, value]) =>
    answer[name] === value ? [] : [`${what}: ${name} is ${value}, and the answer says ${answer[name]}`],
  )

const writeFields = ({ before, position, hart, virtualNs, was, value }: Write) => ({
  position: before,
  after: position,
  hart,
  virtualNs,
  was: hexOf(was),
  is: hexOf(value),
})

/** Compares what `cv last-write` says of a word with what was seen of it. */
const compareWrite = (word: Word, answer: LastWrite | null, { words }: Testimony): Compared => {
  const { changes, lastChange, lastWrite } = words.get(word)!
  const what = `last-write ${word.name}`
  const expected = lastWrite && writeFields(lastWrite)
  const problems =
    expected === null || answer === null
      ? unlike(what, { write: answer?.position }, { write: expected?.position })
      : unlike(what, { ...answer }, expected)
  const shown = lastWrite === null ? "-" : lastWrite === lastChange ? "the same" : lastWrite.before
  const instruction = lastWrite === null ? "" : (lastWrite.store ?? "no store")
  return { row: [word.name, word.sort, String(changes), lastChange?.before ?? "-", shown, instruction], problems }
}

const momentFields = ({ position, hart, virtualNs, pc, value }: Moment) => ({
  position,
  hart,
  virtualNs,
  pc: hexOf(pc),
  value: hexOf(value),
})

const compareMoments = (what: string, found: readonly Found[], seen: readonly Moment[]): readonly string[] => [
  ...(found.length === seen.length ? [] : [`${what}: ${seen.length} moments, and the answer has ${found.length}`]),
  ...seen.slice(0, found.length).flatMap((moment, order) => unlike(what, { ...found[order]! }, momentFields(moment))),
]

/** Compares what `cv when` says of a predicate with when it was seen to come true. */
const compareWhen = (predicate: Above, { all, one }: Answers, { truths }: Testimony): Compared => {
  const { moments } = truths.get(predicate)!
  const what = `when '${predicate.text}'`
  return {
    row: [predicate.text, String(moments.length), moments[0]?.position ?? "-", moments.at(-1)?.position ?? "-"],
    problems: [
      ...compareMoments(what, all, moments.slice(0, LISTED_MAX)),
      ...compareMoments(
        `${what} ${one.flag}`,
        one.found,
        one.flag === "--first" ? moments.slice(0, 1) : moments.slice(-1),
      ),
    ],
  }
}

const sayTable = (rows: readonly (readonly string[])[]) => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  for (const row of rows)
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
}

/** Gives what a step comes to, and says how long it took. */
const timed = async <A>(what: string, step: () => A | Promise<A>): Promise<A> => {
  const begin = process.hrtime.bigint()
  const result = await step()
  say(`${what}: ${secondsSince(begin).toFixed(1)} s`)
  return result
}

const { world, words: count, seed } = readCommandLine()
const chance = chanceOf(seed)
const words = await timed("words chosen", () =>
  withWorld(world, "auto", recorded => chooseWords(recorded, count, chance)),
)
const predicates = choosePredicates(words, PREDICATES, chance)
const writes = await timed(`cv last-write, ${words.length} times`, () => words.map(word => askLastWrite(world, word)))
const answers = await timed(`cv when, ${2 * predicates.length} times`, () =>
  predicates.map((predicate, order) => askAll(world, predicate, order % 2 === 0 ? "--last" : "--first")),
)
const testimony = await timed("every instruction looked at", () =>
  withWorld(world, "interpreter", recorded => testify(recorded, words, predicates)),
)
const ofWords = words.map((word, order) => compareWrite(word, writes[order]!, testimony))
const ofPredicates = predicates.map((predicate, order) => compareWhen(predicate, answers[order]!, testimony))
say("")
sayTable([["WORD", "SORT", "CHANGES", "LAST CHANGE", "LAST WRITE", "BY"], ...ofWords.map(({ row }) => row)])
say("")
sayTable([["PREDICATE", "TIMES", "FIRST", "LAST"], ...ofPredicates.map(({ row }) => row)])
const { pairs, changed, marked, unmarked } = await timed("memory compared between checkpoints", () =>
  withWorld(world, "auto", compareWithMarks),
)
say(`${pairs} times; ${changed} lines differ, ${marked} are kept as written`)
const problems = [...[...ofWords, ...ofPredicates].flatMap(compared => compared.problems), ...unmarked]
say("")
for (const problem of problems) say(problem)
const asked = `${testimony.instructions} instructions; ${words.length + 2 * predicates.length} answers compared`
say(`${asked}; ${problems.length === 0 ? "no difference" : `${problems.length} differences`}`)
process.exit(problems.length === 0 ? 0 : 1)
