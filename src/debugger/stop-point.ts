/** Where going through history stops: breakpoints, watchpoints, interrupts, exceptions, system calls, console text. */
import type { Observation, Sighting } from "../machine/machine.ts"
import { nothingObserved } from "../machine/machine.ts"
import { floatRegisters, integerRegisters } from "../riscv/register.ts"
import type { Inspection } from "./inspection.ts"
import { type MemoryChange, WatchedMemory, type WatchPlace } from "./watched-memory.ts"

export type StopPlace =
  /** Before the instruction at a virtual address. */
  | { readonly kind: "breakpoint"; readonly address: bigint }
  | WatchPlace
  /** After an instruction that changed a register or CSR. */
  | { readonly kind: "register"; readonly name: string }
  /** Before an interrupt is taken; null: any. Causes as in mcause, without the top bit. */
  | { readonly kind: "interrupt"; readonly cause: number | null }
  /** After an exception was raised, before its handler; null: any. */
  | { readonly kind: "exception"; readonly cause: number | null }
  /** At the kernel's entry after an environment call of user mode; null: any number. */
  | { readonly kind: "syscall"; readonly number: number | null }
  /** After what was printed matches. */
  | { readonly kind: "console"; readonly pattern: RegExp }

export interface StopPoint {
  readonly id: number
  readonly place: StopPlace
  /** null: any hart. */
  readonly hart: number | null
  /** Whether to stop, asked at each place; always where null. */
  readonly condition: ((inspection: Inspection, hart: number) => boolean) | null
  /** What it is called in lists. */
  readonly label: string
  isEnabled: boolean
}

/** A stop point that was met. */
export interface Met {
  readonly point: StopPoint
  /** What a watchpoint's memory was and is. */
  readonly change: MemoryChange | null
}

const EXCEPTION_ECALL_U = 8
/** As much text before as a pattern may reach back into. */
const TEXT_MAX = 4096

/** The field of a hart's state behind a register's name. */
export const fieldOf = (name: string): Observation["state"][number] | null => {
  const plain = name.replace(/^csr\./, "")
  const integer = integerRegisters.get(plain)
  if (integer !== undefined) return { field: "x", index: integer }
  const float = floatRegisters.get(plain)
  if (float !== undefined) return { field: "f", index: float }
  const pmp = /^pmpaddr(\d+)$/.exec(plain)
  if (pmp) return { field: "pmpaddr", index: Number(pmp[1]) }
  const views: Readonly<Record<string, string>> = { sstatus: "mstatus", sie: "mie", sip: "mip", fcsr: "fflags" }
  const field = views[plain] ?? plain
  return watchableFields.has(field) ? { field: field as "pc", index: 0 } : null
}

const watchableFields: ReadonlySet<string> = new Set(
  "pc mstatus mie mip medeleg mideleg mtvec mepc mcause mtval mscratch mcounteren menvcfg stvec sepc scause stval sscratch scounteren senvcfg satp stimecmp pmpcfg0 pmpcfg2 fflags frm privilege".split(
    " ",
  ),
)

/** Whether changes of a register can be watched. */
export const isWatchable = (name: string): boolean => fieldOf(name) !== null

/** What a hart is to be observed for, so that all of `points` are met. */
export const observationOf = (points: readonly StopPoint[]): { observation: Observation; output: boolean } => {
  const places = points.map(({ place }) => place)
  const addresses = new Set(places.flatMap(place => (place.kind === "breakpoint" ? [place.address] : [])))
  const observation: Observation = {
    ...nothingObserved,
    breakpoints: [...addresses],
    memory: places.flatMap(place =>
      place.kind === "watchpoint"
        ? [
            {
              space: place.space,
              address: place.address,
              bytes: place.bytes,
              reads: place.access === "read" || place.access === "access",
              writes: place.access !== "read",
            },
          ]
        : [],
    ),
    state: places.flatMap(place => (place.kind === "register" ? [fieldOf(place.name)!] : [])),
    interrupts: places.some(({ kind }) => kind === "interrupt"),
    exceptions: places.some(({ kind }) => kind === "exception" || kind === "syscall"),
  }
  return { observation, output: places.some(({ kind }) => kind === "console") }
}

/** Finds out which stop points a sighting means. Follows the values that watchpoints have. */
export class StopWatch {
  private readonly inspection: Inspection
  private readonly points: readonly StopPoint[]
  private readonly memories = new Map<StopPoint, WatchedMemory>()
  /** What watched registers hold, by hart. */
  private readonly registers = new Map<StopPoint, (bigint | null)[]>()
  private text = ""
  /** What the last accepted sighting met. */
  met: readonly Met[] = []

  constructor(inspection: Inspection, points: readonly StopPoint[]) {
    this.inspection = inspection
    this.points = points
  }

  /** The machine was put somewhere; `text` is what was printed before. */
  begin(text: string): void {
    this.text = text.slice(-TEXT_MAX)
    const { inspection } = this
    for (const point of this.points) {
      const { place } = point
      if (place.kind === "watchpoint") this.memories.set(point, new WatchedMemory(inspection, place))
      else if (place.kind === "register")
        this.registers.set(
          point,
          Array.from({ length: inspection.harts }, (_, hart) => inspection.register(hart, place.name)),
        )
    }
  }

  /** Whether a sighting means one of the stop points. */
  accepts(sighting: Sighting | null): boolean {
    if (sighting === null) return false
    const printed = sighting.kind === "output" ? new TextDecoder().decode(sighting.bytes) : ""
    const from = this.text.length
    this.text += printed
    this.met = this.points.flatMap(point => {
      const change = this.changeOf(point, sighting)
      if (change === undefined || !this.isMeant(point, sighting, from, change)) return []
      if (point.hart !== null && point.hart !== sighting.hart) return []
      return point.condition === null || point.condition(this.inspection, sighting.hart) ? [{ point, change }] : []
    })
    if (this.text.length > 2 * TEXT_MAX) this.text = this.text.slice(-TEXT_MAX)
    return this.met.length > 0
  }

  /** What became of a watchpoint's memory; null for other points; undefined where one is not concerned. */
  private changeOf(point: StopPoint, sighting: Sighting): MemoryChange | null | undefined {
    const { place } = point
    if (place.kind === "register") {
      if (sighting.kind !== "state") return undefined
      const known = this.registers.get(point)!
      const before = known[sighting.hart] ?? null
      const after = this.inspection.register(sighting.hart, place.name)
      known[sighting.hart] = after
      return before === after ? undefined : null
    }
    if (place.kind !== "watchpoint") return null
    if (sighting.kind !== "read" && sighting.kind !== "write") return undefined
    return this.memories.get(point)!.take(sighting)
  }

  private isMeant({ place }: StopPoint, sighting: Sighting, from: number, change: MemoryChange | null): boolean {
    switch (place.kind) {
      case "breakpoint":
        return sighting.kind === "breakpoint" && this.inspection.pc(sighting.hart) === place.address
      case "register":
        return true
      case "watchpoint":
        if (place.access === "change") return change!.before !== change!.after
        return place.access === "access" || place.access === sighting.kind
      case "interrupt":
      case "exception":
        return sighting.kind === place.kind && (place.cause === null || place.cause === sighting.cause)
      case "syscall":
        if (sighting.kind !== "exception" || sighting.cause !== EXCEPTION_ECALL_U) return false
        return place.number === null || this.inspection.register(sighting.hart, "a7") === BigInt(place.number)
      case "console":
        return sighting.kind === "output" && matchesNew(place.pattern, this.text, from)
    }
  }
}

/** Whether a pattern has a match that reaches into what was printed from `from` on. */
const matchesNew = (pattern: RegExp, text: string, from: number): boolean => {
  const global = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, "")}g`)
  for (const match of text.matchAll(global)) if (match.index + match[0].length > from) return true
  return false
}
