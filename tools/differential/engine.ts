/** This project's machine as a side of the comparison. */
import { RAM_BASE } from "../../src/hart/layout.ts"
import { readKernelImage } from "../../src/machine/kernel-image.ts"
import { Machine } from "../../src/machine/machine.ts"
import { tierFromEnvironment } from "../tier.ts"
import type { RunGuest } from "./guest.ts"

/** More than any generated program executes. */
const INSTRUCTIONS_MAX = 1_000_000_000

export const runGuest: RunGuest = (image, { ramBytes }) => {
  const kernel = readKernelImage(image)
  if (!kernel.ok || kernel.image.kind === "gzip") throw new Error(`no program for ${RAM_BASE.toString(16)}`)
  const machine = new Machine({
    harts: 1,
    ramBytes,
    firmware: { kind: "none" },
    kernel: kernel.image,
    initrd: null,
    bootArguments: "",
    disks: [],
    startTime: { seconds: 0, nanoseconds: 0 },
    seed: new Uint8Array(32),
    translation: tierFromEnvironment(),
  })
  const decoder = new TextDecoder("latin1")
  let console = ""
  for (;;) {
    const exit = machine.run(INSTRUCTIONS_MAX)
    machine.takeTrace()
    console += decoder.decode(machine.takeConsole(), { stream: true })
    if (exit.kind === "off") return { console, finished: true }
    if (exit.kind === "reset" || machine.executed > INSTRUCTIONS_MAX) return { console, finished: false }
    if (exit.kind === "idle") {
      if (exit.deadlineNs === Number.POSITIVE_INFINITY) return { console, finished: false }
      machine.skipTo(exit.deadlineNs)
    }
  }
}
