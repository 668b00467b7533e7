/** A run straight forward that looks at some words after every single instruction: what answers to questions are compared with. */
import { Effect } from "effect"
import { Inspection } from "../../src/debugger/index.ts"
import { formatPosition, origin, type World } from "../../src/events/index.ts"
import { ACTIVE, RAM_BASE } from "../../src/hart/layout.ts"
import { stateFields } from "../../src/hart/state.ts"
import type { Machine } from "../../src/machine/machine.ts"
import { machineOf } from "../../src/session/build-machine.ts"
import { eachEvent, Replayer } from "../../src/session/replay.ts"
import { type Store, storeOf } from "./store.ts"
import { type Above, type Place, WORD_BYTES, wordAt } from "./words.ts"

/** Right after an instruction. */
export interface Moment {
  readonly before: string
  readonly position: string
  readonly hart: number
  readonly virtualNs: number
  readonly pc: bigint
  readonly value: bigint
}

/** What an instruction has made of a word. */
export interface Write extends Moment {
  readonly was: bigint
  /** The instruction, null where none stores there: the word has changed all the same. */
  readonly store: string | null
}

/** What became of a word. */
export interface WordStory {
  value: bigint
  changes: number
  lastChange: Write | null
  /** Of whatever value, also the one that was there. */
  lastWrite: Write | null
}

/** When a predicate came true. */
export interface TruthStory {
  readonly moments: Moment[]
  holds: boolean
}

export interface Testimony {
  readonly words: ReadonlyMap<Place, WordStory>
  readonly truths: ReadonlyMap<Above, TruthStory>
  readonly instructions: number
}

const BUDGET_USED_UP = 0
const PC = ACTIVE + stateFields.pc.offset
const X = ACTIVE + stateFields.x.offset
const PAGE_BYTES = 4096
/** Where Linux maps the kernel's image: the upper half of its addresses. */
const KERNEL_HIGH = 0xffff_ffff
const KERNEL_LOW = 0x8000_0000

class Witness {
  readonly words: Map<Place, WordStory>
  readonly truths: Map<Above, TruthStory>
  instructions = 0
  private readonly machine: Machine
  private readonly inspection: Inspection
  private readonly places: readonly Place[]
  private readonly state: DataView
  private readonly code: Uint16Array
  /** How much greater the kernel's addresses are than where its image lies in RAM, without their upper half. */
  private readonly imageShift: number
  /** The offsets in a page at which a store may reach one of the places. */
  private readonly nearPlaces = new Uint8Array(PAGE_BYTES)
  /** RAM by halves of words, those of the places among them, and what was there at the last look. */
  private readonly ram: Int32Array
  private readonly halves: Int32Array
  private readonly known: Int32Array

  constructor(machine: Machine, places: readonly Place[], predicates: readonly Above[]) {
    this.machine = machine
    this.inspection = new Inspection(machine)
    this.places = places
    this.words = new Map(
      places.map(place => [
        place,
        { value: wordAt(machine, place.offset), changes: 0, lastChange: null, lastWrite: null },
      ]),
    )
    this.truths = new Map(predicates.map(predicate => [predicate, { moments: [], holds: false }]))
    const { ram, memory } = machine.core
    this.state = new DataView(memory.buffer)
    this.code = new Uint16Array(ram.buffer, ram.byteOffset, ram.length / 2)
    const [{ address, offset }] = places as readonly [Place]
    this.imageShift = Number(address & 0xffff_ffffn) - offset
    this.ram = new Int32Array(ram.buffer, ram.byteOffset, ram.length / 4)
    this.halves = Int32Array.from(places.flatMap(({ offset }) => [offset / 4, offset / 4 + 1]))
    this.known = this.halves.map(half => this.ram[half]!)
    for (const place of places) {
      for (let at = 1 - WORD_BYTES; at < WORD_BYTES; at++) this.nearPlaces[(place.offset + at) & (PAGE_BYTES - 1)] = 1
      this.judge(place, this.moment(0, 0, wordAt(machine, place.offset)))
    }
  }

  /** Has the machine execute one instruction at a time, and looks after each. */
  watch(): void {
    const { core } = this.machine
    const run = core.run.bind(core)
    core.run = budget => {
      if (this.sawChange()) throw new Error("a word has changed while no hart ran")
      let executed = core.executed(core.running)
      for (let left = budget; ; left--) {
        const store = this.storeAhead()
        const reached = store === null ? [] : this.placesReached(store)
        const pc = this.state.getUint32(PC, true)
        const reason = run(1)
        this.instructions++
        const isDone = reached.length > 0 && this.hasStored(store!, pc)
        if (isDone || this.sawChange()) this.note(core.running, executed, isDone ? store : null, reached)
        if (reason !== BUDGET_USED_UP || left === 1) return reason
        executed++
      }
    }
  }

  /** The store at pc, where it may reach one of the places; only code of the kernel and of what runs before it is looked at. */
  private storeAhead(): Store | null {
    const { state, code } = this
    const low = state.getUint32(PC, true)
    const high = state.getUint32(PC + 4, true)
    const isImage = high === KERNEL_HIGH && low >= KERNEL_LOW
    if (!isImage && high !== 0) return null
    const at = (low - (isImage ? this.imageShift : RAM_BASE)) / 2
    if (!(at >= 0 && at < code.length)) return null
    const store = storeOf(code[at]! | (code[at + 1]! << 16))
    if (store === null) return null
    const address = state.getUint32(X + 8 * store.base, true) + store.offset
    return this.nearPlaces[address & (PAGE_BYTES - 1)] === 1 ? store : null
  }

  private placesReached({ base, offset, bytes }: Store): readonly Place[] {
    const { machine, inspection, places, state } = this
    const virtual = BigInt.asUintN(64, state.getBigUint64(X + 8 * base, true) + BigInt(offset))
    const physical = inspection.physical(machine.core.running, virtual)
    if (physical === null) return []
    const at = Number(physical) - RAM_BASE
    return places.filter(place => at < place.offset + WORD_BYTES && place.offset < at + bytes)
  }

  /** Whether the store that stood at `pc` was executed: neither an interrupt nor a trap came before, nor did it fail. */
  private hasStored({ length, failed }: Store, pc: number): boolean {
    const { state } = this
    const isPast = state.getUint32(PC, true) === (pc + length) >>> 0
    return isPast && (failed === null || state.getUint32(X + 8 * failed, true) === 0)
  }

  private sawChange(): boolean {
    const { ram, halves, known } = this
    for (let at = 0; at < halves.length; at++) if (ram[halves[at]!] !== known[at]) return true
    return false
  }

  /** Notes what an instruction has made of the places, before which a hart had executed so many. */
  private note(hart: number, executed: number, store: Store | null, reached: readonly Place[]): void {
    const { machine, known, halves, ram, places } = this
    known.set(halves.map(half => ram[half]!))
    for (const place of places) {
      const story = this.words.get(place)!
      const was = story.value
      const value = wordAt(machine, place.offset)
      const isReached = store !== null && reached.includes(place)
      if (value === was && !isReached) continue
      const write = { ...this.moment(hart, executed, value), was, store: isReached ? store.text : null }
      story.lastWrite = write
      if (value === was) continue
      story.value = value
      story.changes++
      story.lastChange = write
      this.judge(place, write)
    }
  }

  private moment(hart: number, executed: number, value: bigint): Moment {
    const { machine, inspection } = this
    const position = { ...origin, round: machine.round, hart }
    return {
      before: formatPosition({ ...position, instret: executed }),
      position: formatPosition({ ...position, instret: machine.core.executed(hart) }),
      hart,
      virtualNs: machine.nowNs,
      pc: inspection.pc(hart),
      value,
    }
  }

  private judge(place: Place, moment: Moment): void {
    for (const [{ word, limit }, story] of this.truths) {
      if (word.offset !== place.offset) continue
      const holds = moment.value > limit
      if (holds && !story.holds) story.moments.push(moment)
      story.holds = holds
    }
  }
}

/** Goes through all of a history. Every event is compared besides: that looking changes nothing is part of what is seen. */
export const testify = (world: World, places: readonly Place[], predicates: readonly Above[]) =>
  Effect.gen(function* () {
    const replayer = new Replayer(yield* machineOf(world), {})
    const witness = new Witness(replayer.machine, places, predicates)
    witness.watch()
    yield* eachEvent(world, 0, event => {
      const mismatch = replayer.meet(event)
      if (mismatch) throw new Error(`event ${event.seq}: ${mismatch.problem}`)
      return null
    })
    return witness satisfies Testimony
  })
