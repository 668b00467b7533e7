import { expect, it } from "vitest"
import { plainEnd, plainStep } from "../../../src/tui/demo/plain-report.ts"
import { failed, proved } from "./sample-state.ts"

it("tells a step that holds", () => {
  expect(plainStep(proved.steps.at(-1)!)).toEqual([
    "flip     proved: bit 5 of a5 on hart 3 after its instruction 7,000,000: found",
    "         event 86 (batch): its registers have another digest",
    "         0x800009a4  c.xor a5, a4  r366.m0.h3.i7000000",
    "         hart 3 a5 expected 0x578122a6, found 0x57812286",
  ])
})

it("tells a step that fails", () => {
  expect(plainStep(failed.steps[1]!)).toEqual(["replay   FAILED: 173 events were compared, 174 recorded."])
})

it("ends with the guest's last lines, the verdict and what to type", () => {
  const lines = plainEnd({ ...proved, console: "journal> quit\nbye\n" })
  expect(lines).toEqual([
    "the guest's last words:",
    "  | journal> quit",
    "  | bye",
    "All 5 proofs hold.",
    "guest: cv run scenarios/guests/embedded/embedded.elf --firmware none",
    "Debian: cv image build debian && cv run debian",
    "help: cv --help",
  ])
})

it("has no last words of a guest that said nothing", () => {
  expect(plainEnd(failed)[0]).toBe("A proof failed.")
})
