/**
 * Typing a prepared text in a way that depends on the guest alone: the next line is typed when the guest has the console open, has
 * read what was typed before, waits, and has printed nothing for a while of virtual time. So the same text gives the same history.
 */
import type { Machine } from "../machine/machine.ts"

/** How long the console must have been quiet. */
const QUIET_NS = 100_000_000
/** How long after the last line the guest may still be expected to act. */
const PATIENCE_NS = 5_000_000_000

export class Script {
  private readonly lines: Uint8Array[]
  private lastNs = 0

  constructor(text: Uint8Array) {
    this.lines = splitLines(text)
  }

  /** Notes that the guest printed something now. */
  printed(machine: Machine): void {
    this.lastNs = machine.nowNs
  }

  /**
   * Asked when the machine is idle until `deadlineNs`: the line to type and when, or that there is nothing left to wait for, or null:
   * not yet.
   */
  next(machine: Machine, deadlineNs: number): { readonly line: Uint8Array; readonly atNs: number } | "over" | null {
    const now = machine.nowNs
    if (this.lines.length === 0)
      return Math.min(deadlineNs, Number.MAX_SAFE_INTEGER) > this.lastNs + PATIENCE_NS ? "over" : null
    if (!machine.listens || machine.unreadInput > 0) return null
    const atNs = Math.max(now, this.lastNs + QUIET_NS)
    if (atNs > deadlineNs) return null
    this.lastNs = atNs
    return { line: this.lines.shift()!, atNs }
  }
}

const NEWLINE = 10

/** Lines with their ends; a last one without is given one. */
const splitLines = (text: Uint8Array): Uint8Array[] => {
  const lines: Uint8Array[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== NEWLINE) continue
    lines.push(text.slice(start, at + 1))
    start = at + 1
  }
  if (start < text.length) lines.push(Uint8Array.from([...text.slice(start), NEWLINE]))
  return lines
}
