/** A demonstration that has gone well, as the screen is given it. */
import type { DemoState, StepName } from "../../../src/tui/demo/demo-state.ts"
import { initialState, withStep } from "../../../src/tui/demo/demo-state.ts"
import * as story from "../../../src/tui/demo/story.ts"
import type { Line } from "../../../src/tui/span.ts"

export const suggestions = [
  { label: "guest", command: "cv run scenarios/guests/embedded/embedded.elf --firmware none" },
  { label: "Debian", command: "cv image build debian && cv run debian" },
  { label: "help", command: "cv --help" },
]

const flip = { hart: 3, register: 15, bit: 5, executed: 7_000_000 }

const lines: Readonly<Record<StepName, readonly Line[]>> = {
  record: story.recorded({ instructions: 49_391_264, events: 174, wallMs: 140 }, 4, 188_416, 1620),
  replay: story.replayed({ events: 174, digest: "bd822c008db490d139ac8272250ad142" }),
  repeat: story.repeated(174),
  restore: story.restored("r391.m0.h0.i7741323", 84),
  flip: story.found(
    flip,
    "a5",
    { seq: 86, kind: "batch", problem: "its registers have another digest" },
    {
      position: "r366.m0.h3.i7000000",
      pc: "0x800009a4",
      instruction: "c.xor a5, a4",
      registers: [{ register: "hart 3 a5", expected: "0x578122a6", found: "0x57812286" }],
    },
  ),
}

export const proved: DemoState = {
  ...Object.entries(lines).reduce(
    (state, [name, said]) => withStep(state, name as StepName, { status: "proved", lines: said }),
    initialState(suggestions),
  ),
  console: Array.from({ length: 40 }, (_, at) => `guest line ${at}: ${"x".repeat(at * 3)}\n`).join(""),
  status: "proved",
  wallMs: 1810,
}

export const failed: DemoState = {
  ...withStep(withStep(initialState(suggestions), "record", { status: "proved", lines: lines.record }), "replay", {
    status: "failed",
    lines: [[{ tone: "plain", text: "173 events were compared, 174 recorded." }]],
  }),
  status: "failed",
}
