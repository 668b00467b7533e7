/** The demonstration's sentences. Those that contain times or speeds stand in `recorded` alone. */
import type { Divergence, DivergingInstruction } from "../../session/errors.ts"
import type { Flip } from "../../session/replay.ts"
import type { Summary } from "../../session/summary.ts"
import { count, countOf, seconds, size, speed } from "../quantity.ts"
import { accent, bad, good, type Line, line, quiet } from "../span.ts"
import type { StepName } from "./demo-state.ts"

/** What is being done. */
export const purposes: Readonly<Record<StepName, string>> = {
  record: "run the guest and write down all that happens",
  replay: "run it again from the log and compare every event",
  repeat: "record it once more from nothing",
  restore: "go on from the middle in a new process",
  flip: "make one wrong bit and see that it is found",
}

export const recording = (instructions: number): Line => line(`${count(instructions)} instructions so far`)

export const comparing = (events: number, all: number): Line => line(`${count(events)} of ${countOf(all, "event")}`)

export const recorded = (
  summary: Pick<Summary, "instructions" | "events" | "wallMs">,
  harts: number,
  logBytes: number,
  consoleBytes: number,
): readonly Line[] => [
  line(
    `${countOf(summary.instructions, "instruction")} on ${countOf(harts, "hart")} in ${seconds(summary.wallMs)}, `,
    accent(speed(summary.instructions, summary.wallMs)),
  ),
  line(
    quiet(
      `${countOf(summary.events, "event")} in a log of ${size(logBytes)}; the guest printed ${countOf(consoleBytes, "byte")}`,
    ),
  ),
]

export const replayed = (summary: Pick<Summary, "events" | "digest">): readonly Line[] => [
  line(`all ${countOf(summary.events, "event")} compared, the console equal byte for byte`),
  line(quiet(`digest of the machine at the end ${summary.digest}`)),
]

export const repeated = (events: number): readonly Line[] => [
  line(`the same digest again, and the same chain of ${countOf(events, "event")}`),
]

export const restored = (position: string, events: number): readonly Line[] => [
  line(`snapshot at ${position}, carried on in a new process`),
  line(quiet(`its last ${countOf(events, "event")}, its console and its digest are the same`)),
]

export const flipping = ({ bit, hart, executed }: Flip, register: string): Line =>
  line(`bit ${bit} of ${register} on hart ${hart} after its instruction ${count(executed)}`)

export const found = (
  flip: Flip,
  register: string,
  divergence: Pick<Divergence, "seq" | "kind" | "problem">,
  instruction: DivergingInstruction,
): readonly Line[] => [
  [...flipping(flip, register), ...line(": found")],
  line(quiet(`event ${divergence.seq} (${divergence.kind}): ${divergence.problem}`)),
  line(quiet(`${instruction.pc}  `), accent(instruction.instruction), quiet(`  ${instruction.position}`)),
  ...instruction.registers.map(difference =>
    line(`${difference.register} expected `, good(difference.expected), ", found ", bad(difference.found)),
  ),
]
