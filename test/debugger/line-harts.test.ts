/** Steps by lines on a machine of several harts, optimized and with functions put into others: a step back undoes a step. */
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { openDebugger } from "../../src/debugger/index.ts"
import { LineStepper } from "../../src/debugger/line-stepper.ts"
import { ProgramView } from "../../src/debugger/program-view.ts"
import { formatPosition, WorldStore } from "../../src/events/index.ts"
import { record } from "../../src/session/session.ts"
import { embedded, run, Watcher, withPath } from "../session/embedded.ts"

const race = new Uint8Array(readFileSync(new URL("../../scenarios/guests/race/race.elf", import.meta.url)))
const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

test(
  "of any hart, from places all over a history",
  () =>
    withPath(async path => {
      const spec = embedded({ harts: 2, disks: [], kernel: { name: "race.elf", bytes: race } })
      await run(record(path, spec, new Watcher(), { until: { kind: "time", virtualNs: 60_000_000 }, script: null }))
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).openReadOnly(path)
          const debug = yield* openDebugger(world, breathe)
          const view = new ProgramView(debug)
          const stepper = new LineStepper(debug, view)
          const here = () => {
            const { selectedHart: hart, inspection, position } = debug
            const pc = inspection.pc(hart)
            return { position, hart, pc, cfa: view.cfa(hart), place: view.place(pc), code: view.functionAt(pc) }
          }
          type Here = ReturnType<typeof here>
          /** Both begin a line of one activation, and of no function that was put into it or both of the same. */
          const belongTogether = (a: Here, b: Here): boolean =>
            a.code !== null &&
            a.code === b.code &&
            a.cfa === b.cfa &&
            a.place?.depth === b.place?.depth &&
            [a, b].every(({ pc }) => a.code!.statements.includes(pc))
          const events = yield* world.readEvents({}, 10_000)
          let compared = 0
          for (let order = 0; order < 40; order++) {
            yield* debug.goTo(events[(order * 37) % events.length]!.position)
            debug.selectedHart = order % 2
            if ((yield* stepper.next("over")).reason.kind !== "step") continue
            let before = here()
            let isBegun = false
            for (let step = 0; step < 5; step++) {
              if ((yield* stepper.next("over")).reason.kind !== "step") break
              const now = here()
              const isWithin = belongTogether(before, now)
              // Where the step before ended within the same activation a line began.
              if (isWithin && isBegun) {
                yield* stepper.previous("over")
                expect(formatPosition(debug.position)).toBe(formatPosition(before.position))
                expect(debug.selectedHart).toBe(before.hart)
                compared++
                yield* debug.goTo(now.position)
                debug.selectedHart = now.hart
              }
              isBegun = isWithin
              before = now
            }
          }
          expect(compared).toBeGreaterThan(40)
        }),
      )
    }),
  120_000,
)
