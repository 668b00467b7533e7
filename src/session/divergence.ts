/**
 * From an event that differs to the instruction that made it differ: the stretch since the last good event is run twice side by side,
 * as the failed replay ran and clean, first in steps of some thousand instructions, then one by one.
 */
import { formatPosition, type StoredEvent } from "../events/index.ts"
import type { Machine } from "../machine/machine.ts"
import { disassemble } from "../riscv/disassembler.ts"
import type { DivergingInstruction, RegisterDifference } from "./errors.ts"
import { type Flip, Replayer } from "./replay.ts"

/** A machine's whole state in memory. */
export interface Moment {
  readonly state: Uint8Array
  readonly pages: readonly { readonly index: number; readonly bytes: Uint8Array }[]
}

export const momentOf = (machine: Machine): Moment => ({
  state: machine.save(),
  pages: Array.from(machine.pages(), ({ index, bytes }) => ({ index, bytes: bytes.slice() })),
})

const STRIDE = 4096

/** Runs to the moment's state and on by `instructions` of all harts together. */
const advance = (replayer: Replayer, instructions: number): boolean => {
  const { machine } = replayer
  const goal = machine.executed + instructions
  while (machine.executed < goal) {
    const exit = replayer.step(goal - machine.executed, null)
    if (exit.kind === "off") return false
    if (exit.kind === "idle") {
      if (exit.deadlineNs === Number.POSITIVE_INFINITY) return false
      machine.skipTo(exit.deadlineNs)
    }
  }
  return true
}

/**
 * The first instruction after which a run with `flip` differs from a clean one between `start` and `event`; null when the clean run
 * does not give the event either. Both machines are of the same world; what they hold is lost.
 */
export const findDivergence = (
  [first, second]: readonly [Machine, Machine],
  start: Moment,
  event: StoredEvent,
  flip: Flip | null,
): DivergingInstruction | null => {
  const restored = (machine: Machine, fault: Flip | null): Replayer => {
    machine.restore(start.state, start.pages)
    return new Replayer(machine, { flip: fault })
  }
  const proof = restored(first, null)
  if (!proof.causes(event)) return null
  const length = proof.machine.executed
  let faulty = restored(first, flip)
  let clean = restored(second, null)
  const begin = clean.machine.executed
  let good = begin
  while (good < length) {
    const stride = Math.min(STRIDE, length - good)
    advance(faulty, stride)
    advance(clean, stride)
    if (!faulty.machine.isLike(clean.machine)) break
    good += stride
  }
  if (good >= length) return null
  faulty = restored(first, flip)
  clean = restored(second, null)
  advance(faulty, good - begin)
  advance(clean, good - begin)
  for (let step = 0; step <= STRIDE; step++) {
    const before = instructionAt(clean.machine)
    advance(faulty, 1)
    advance(clean, 1)
    if (faulty.machine.isLike(clean.machine)) continue
    return {
      position: formatPosition(clean.history.position),
      ...before,
      registers: differences(clean.machine, faulty.machine),
    }
  }
  return null
}

/** What the hart whose turn it is will execute next. */
const instructionAt = (machine: Machine): { pc: string; instruction: string } => {
  const { hart } = machine.position
  const pc = machine.core.getBig(hart, "pc")
  const word = machine.core.nextInstruction(hart)
  return {
    pc: `0x${pc.toString(16)}`,
    instruction: word === null ? "an instruction that cannot be fetched" : disassemble(word, pc).text,
  }
}

const differences = (expected: Machine, found: Machine): readonly RegisterDifference[] => {
  const values = found.registers()
  return expected
    .registers()
    .flatMap(({ name, value }, at) =>
      value === values[at]!.value
        ? []
        : [{ register: name, expected: `0x${value.toString(16)}`, found: `0x${values[at]!.value.toString(16)}` }],
    )
}
