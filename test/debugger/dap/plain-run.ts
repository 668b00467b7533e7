/** A plain run forward: what editors were shown is compared with it. */
import { Effect } from "effect"
import { formatPosition, type World, WorldStore } from "../../../src/events/index.ts"
import type { Machine } from "../../../src/machine/machine.ts"
import { integerRegisterNames } from "../../../src/riscv/register.ts"
import { machineOf } from "../../../src/session/build-machine.ts"
import { straightRun } from "../../../tools/straight-run.ts"
import { run } from "../../session/embedded.ts"
import type { Shown } from "./editor.ts"

const valueIn = ({ core }: Machine, hart: number, name: string): bigint => {
  if (name === "pc") return core.getBig(hart, "pc")
  if (name === "privilege") return BigInt(core.get(hart, "privilege"))
  return core.getBig(hart, "x", integerRegisterNames.indexOf(name))
}

/** What differs between what was shown and what a plain run has at those places. */
export const differencesOf = (path: string, shown: readonly Shown[]): Promise<readonly string[]> =>
  run(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).openReadOnly(path)
      const differences: string[] = []
      const positions = shown.map(({ position }) => position)
      yield* straightRun(world, positions, (machine, position) => {
        for (const { hart, registers } of shown.filter(each => each.position === position))
          for (const [name, value] of registers) {
            const found = valueIn(machine, hart, name)
            if (found !== value)
              differences.push(
                `${formatPosition(position)}: ${name} is ${value.toString(16)}, not ${found.toString(16)}`,
              )
          }
      })
      return differences
    }),
  )

/** Where harts are before each instruction at an address, in the first `count` instructions, which have no inputs. */
export const arrivalsAt = (path: string, address: bigint, count: number): Promise<readonly string[]> =>
  run(
    Effect.gen(function* () {
      const world: World = yield* (yield* WorldStore).openReadOnly(path)
      const machine = yield* machineOf(world)
      const found: string[] = []
      while (machine.executed < count) {
        const { position, executed } = machine
        const isThere = machine.core.getBig(position.hart, "pc") === address
        const exit = machine.run(1)
        if (isThere && machine.executed > executed) found.push(formatPosition({ ...position, machine: 0 }))
        if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
      }
      return found
    }),
  )
