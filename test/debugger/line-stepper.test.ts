/** Steps by lines, from any place: they end where the whole history, read instruction by instruction, says that they have to. */
import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { type Debugger, openDebugger, type Stop } from "../../src/debugger/index.ts"
import { LineStepper } from "../../src/debugger/line-stepper.ts"
import { ProgramView } from "../../src/debugger/program-view.ts"
import { formatPosition, WorldStore } from "../../src/events/index.ts"
import { record } from "../../src/session/session.ts"
import { embedded, run, script, Watcher, withPath } from "../session/embedded.ts"
import { type Compilation, type Compiled, cannotCompile, compileProgram } from "./lines/compiled.ts"
import { type Walk, walkOf } from "./lines/trace.ts"

const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

const functions = ["print", "square", "factorial", "sum", "busy", "main"]

interface Scene {
  readonly program: Compiled
  readonly debug: Debugger
  readonly view: ProgramView
  readonly stepper: LineStepper
  /** Reads the whole history, instruction by instruction. */
  readonly walk: Effect.Effect<Walk, unknown>
  /** A position in the history from a number of instructions. */
  readonly goTo: (executed: number) => Effect.Effect<Stop, unknown>
}

/** Records the program and opens its history; `body` gives a promise's worth of work in it. */
const scene = (
  compilation: Partial<Compilation>,
  body: (scene: Scene) => Effect.Effect<void, unknown>,
): Promise<void> =>
  withPath(async path => {
    const program = compileProgram(compilation)
    const file = join(dirname(path), "program.elf")
    writeFileSync(file, program.bytes)
    const kernel = { name: "program.elf", bytes: program.bytes }
    const watcher = new Watcher()
    await run(record(path, embedded({ harts: 1, disks: [], kernel }), watcher, script("")))
    expect(watcher.console.replaceAll("\r", "")).toContain("begin\nend\n")
    await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const debug = yield* openDebugger(world, breathe)
        const view = new ProgramView(debug)
        const bodies = new Map(
          functions.map(name => [debug.symbols.find(name)!.address, view.functionNamed(name)[0]!] as const),
        )
        const walk = walkOf(world, file, bodies)
        const stepper = new LineStepper(debug, view)
        const goTo = (executed: number) =>
          Effect.gen(function* () {
            yield* debug.timeline.seek(debug.timeline.begin)
            debug.selectedHart = 0
            return yield* debug.step(executed)
          })
        yield* body({ program, debug, view, stepper, walk, goTo })
      }),
    )
  })

const executed = ({ debug }: Scene): number => debug.inspection.machine.core.executed(0)

/** What a step is expected to end with; null: nothing, it goes to an end of history. */
type Step = {
  readonly name: string
  readonly make: (stepper: LineStepper) => Effect.Effect<Stop, unknown>
  readonly expected: (walk: Walk, from: number) => number | null
}

const steps: readonly Step[] = [
  { name: "next", make: stepper => stepper.next("over"), expected: (walk, from) => walk.next(from, "over") },
  { name: "step", make: stepper => stepper.next("into"), expected: (walk, from) => walk.next(from, "into") },
  { name: "finish", make: stepper => stepper.finish(), expected: (walk, from) => walk.finish(from) },
  {
    name: "reverse next",
    make: stepper => stepper.previous("over"),
    expected: (walk, from) => walk.previous(from, "over"),
  },
  {
    name: "reverse step",
    make: stepper => stepper.previous("into"),
    expected: (walk, from) => walk.previous(from, "into"),
  },
  { name: "reverse finish", make: stepper => stepper.start(), expected: (walk, from) => walk.start(from) },
]

const chance = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * below)
  }
}

/** Each kind of step from places all over the history that have lines. */
const compareAll = (place: Scene, count: number, seed: number) =>
  Effect.gen(function* () {
    const { stepper, debug } = place
    const walk = yield* place.walk
    const pick = chance(seed)
    const differences: string[] = []
    let compared = 0
    for (let order = 0; order < count; order++) {
      const from = pick(walk.length - 2)
      const step = steps[pick(steps.length)]!
      if (walk.lineAt(from) === 0) continue
      const expected = step.expected(walk, from)
      if (expected === null) continue
      yield* place.goTo(from)
      const stop = yield* step.make(stepper)
      compared++
      const found = executed(place)
      if (found !== expected || stop.reason.kind !== "step")
        differences.push(
          `${step.name} from ${from} (line ${walk.lineAt(from)}): ${stop.reason.kind} at ${found} (${formatPosition(debug.position)}) instead of ${expected}`,
        )
    }
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(count / 4)
  })

describe.skipIf(cannotCompile !== null)(`steps by lines${cannotCompile === null ? "" : `: ${cannotCompile}`}`, () => {
  test("through main and back, over calls and into them", () =>
    scene({}, place =>
      Effect.gen(function* () {
        const { program, debug, view, stepper } = place
        const lineHere = () => view.place(debug.inspection.pc(0))!.line
        const at = program.line
        const point = debug.addStopPoint({
          place: { kind: "breakpoint", address: view.functionNamed("main")[0]! },
        })
        yield* debug.goOn()
        debug.removeStopPoint(point.id)
        const main = [
          at('print("begin'),
          at("total = square(5)"),
          at("total += sum(4)"),
          at("corner.x ="),
          at("corner.y ="),
          at("busy(BUSY)"),
          at('print("end'),
        ]
        const over: number[] = [lineHere()]
        for (let order = 1; order < main.length; order++) {
          yield* stepper.next("over")
          over.push(lineHere())
        }
        expect(over).toEqual(main)
        const back: number[] = []
        for (let order = 1; order < main.length; order++) {
          yield* stepper.previous("over")
          back.push(lineHere())
        }
        expect(back).toEqual(main.toReversed().slice(1))
        // Into print, out of it, into square; and the same way back.
        yield* stepper.next("into")
        expect(lineHere()).toBe(at("while (*text"))
        yield* stepper.finish()
        expect(lineHere()).toBe(at("total = square(5)"))
        yield* stepper.next("into")
        expect(lineHere()).toBe(at("int result = n * n"))
        expect(view.frames(0, 8).map(({ name }) => name)).toEqual(["square", "main", "_start"])
        yield* stepper.start()
        expect(lineHere()).toBe(at("total = square(5)"))
        // That is in the middle of a line, which is gone back to the beginning of first.
        yield* stepper.previous("into")
        expect(lineHere()).toBe(at("total = square(5)"))
        yield* stepper.previous("into")
        // The closing brace of print, where it returns.
        expect(lineHere()).toBe(at("while (*text") + 2)
      }),
    ))

  test.each(["-O0", "-O1", "-O2"] as const)(
    "from places all over a history, compiled with %s",
    optimization => scene({ optimization, busy: 40 }, place => compareAll(place, 600, 1)),
    120_000,
  )

  test(
    "while a timer interrupts every few instructions",
    () => scene({ period: 2, busy: 500 }, place => compareAll(place, 600, 2)),
    120_000,
  )

  test("a stop point on the way ends a step, in both directions", () =>
    scene({}, place =>
      Effect.gen(function* () {
        const { debug, view, stepper, program } = place
        const inside = view.lineAt("program.c", program.line("int below ="))!
        const point = debug.addStopPoint({ place: { kind: "breakpoint", address: view.functionNamed("main")[0]! } })
        yield* debug.goOn()
        debug.removeStopPoint(point.id)
        while (view.place(debug.inspection.pc(0))!.line !== program.line("corner.x =")) yield* stepper.next("over")
        const before = executed(place)
        const meant = debug.addStopPoint({ place: { kind: "breakpoint", address: inside.addresses[0]! } })
        const stop = yield* stepper.next("over")
        expect(stop.reason).toMatchObject({ kind: "met", met: [{ point: { id: meant.id } }] })
        meant.isEnabled = false
        yield* stepper.finish()
        yield* stepper.next("over")
        meant.isEnabled = true
        const back = yield* stepper.previous("over")
        expect(back.reason).toMatchObject({ kind: "met", met: [{ point: { id: meant.id } }] })
        expect(executed(place)).toBeGreaterThan(before)
      }),
    ))

  test(
    "one that is cancelled leaves the machine where it was, going back, and where it got to, going on",
    () =>
      scene({ busy: 2_000_000 }, place =>
        Effect.gen(function* () {
          const { debug, view, stepper, program } = place
          const point = debug.addStopPoint({ place: { kind: "breakpoint", address: view.functionNamed("main")[0]! } })
          yield* debug.goOn()
          debug.removeStopPoint(point.id)
          while (view.place(debug.inspection.pc(0))!.line !== program.line("busy(BUSY)")) yield* stepper.next("over")
          const from = executed(place)
          let asked = 0
          const stop = yield* stepper.next("over", { isCancelled: () => ++asked > 2 })
          expect(stop.reason.kind).toBe("cancelled")
          expect(executed(place)).toBeGreaterThan(from)
          debug.selectedHart = 0
          yield* stepper.finish()
          const after = executed(place)
          asked = 0
          const back = yield* stepper.previous("over", { isCancelled: () => ++asked > 1 })
          expect(back.reason.kind).toBe("cancelled")
          expect(executed(place)).toBe(after)
          yield* stepper.previous("over")
          expect(executed(place)).toBe(from)
        }),
      ),
    120_000,
  )

  test("at the ends of history", () =>
    scene({}, place =>
      Effect.gen(function* () {
        const { debug, view, stepper } = place
        yield* debug.goTo(debug.timeline.end)
        const last = executed(place)
        const on = yield* stepper.next("over")
        expect(on.reason.kind).toBe("end")
        expect(executed(place)).toBeGreaterThanOrEqual(last)
        yield* debug.goTo(debug.timeline.begin)
        expect(view.place(debug.inspection.pc(0))).toBeNull()
        expect((yield* stepper.previous("over")).reason.kind).toBe("begin")
        const unknown = yield* Effect.flip(stepper.finish())
        expect(unknown).toMatchObject({ _tag: "CallerUnknown" })
      }),
    ))
})
