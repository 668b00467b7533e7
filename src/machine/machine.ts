/**
 * A machine: harts, RAM and board, advanced in rounds of virtual time.
 *
 * In each round every hart in turn executes up to the round's length in virtual nanoseconds, one an instruction. A hart that waits
 * (WFI) skips to its next timer, or to the round's end. When all wait, the machine is idle until its earliest deadline, and whoever
 * drives it says how far to skip: to that deadline, or to the moment of an input from outside.
 *
 * Runs can be cut anywhere: `run(a); run(b)` leaves what `run(a + b)` leaves.
 */
import { decodeState, encodeState, StateFields, type StateValue } from "../devices/index.ts"
import { type BringPage, HartCore } from "../hart/hart-core.ts"
import { PAGE_BYTES, RAM_BASE } from "../hart/layout.ts"
import {
  BREAKPOINTS_MAX,
  type Hit,
  nothingObserved,
  type Observation,
  STATE_WATCHES_MAX,
  WATCHES_MAX,
} from "../hart/observation-tables.ts"
import { exitReason, type FieldName, type StateField, stateFields } from "../hart/state.ts"
import { menvcfg, mip } from "../riscv/csr.ts"
import { floatRegisterNames, integerRegisterNames } from "../riscv/register.ts"
import { Board, memoryMap } from "./board.ts"
import { BOOT_ROM_BYTES, boot, type LoadedPart, loadedParts } from "./boot.ts"
import { Digest } from "./digest.ts"
import type { MachineConfig } from "./machine-config.ts"
import { MemoryWatch, type WrittenLines } from "./memory-watch.ts"
import { Ram } from "./ram.ts"
import { serveSbi } from "./sbi.ts"
import type { SleepingMachine } from "./sleeping-machine.ts"

export { BREAKPOINTS_MAX, type Hit, nothingObserved, type Observation, STATE_WATCHES_MAX, WATCHES_MAX }

/** Why `run` came back. */
export type Exit =
  /** A round ended: inputs may be applied now. */
  | { readonly kind: "round" }
  /** The budget is used up, somewhere inside a round. */
  | { readonly kind: "budget" }
  /** Every hart waits. Earliest deadline in virtual nanoseconds, Infinity when only an input can wake one. */
  | { readonly kind: "idle"; readonly deadlineNs: number }
  /** The guest turned itself off; 0 for success. */
  | { readonly kind: "off"; readonly code: number }
  /** The guest asked for a reset; the next run starts from the beginning. */
  | { readonly kind: "reset" }

export interface RamPage {
  readonly index: number
  /** A view of RAM: copy what must last. May be empty for a page of zeros. */
  readonly bytes: Uint8Array
}

/** Something met on the way that `observe` asked for. */
export type Sighting = (Hit | { readonly kind: "output"; readonly bytes: Uint8Array }) & { readonly hart: number }

/** Where to stop inside a round: when this hart has executed so many instructions. */
export interface StopAt {
  readonly hart: number
  readonly executed: number
}

/** What happened, for the log; emptied by who reads it. */
export interface Trace {
  readonly slices: { hart: number; instructions: number }[]
  readonly interrupts: { hart: number; cause: number; executed: number }[]
}

/** Which of its consoles the guest uses. */
type ConsolePort = "serial" | "virtio"
/** Whether a hart was not started or stopped itself, runs, or waits for an interrupt. */
export type HartLife = "stopped" | "running" | "waiting"

/** Virtual nanoseconds of a round: long for one hart, short where harts wait for each other. */
const ROUND_NS_SINGLE = 1_000_000
const ROUND_NS_MANY = 20_000
const BUDGET_MAX = 0x7fffffff

const STIP = Number(mip.STIP)
/** menvcfg.STCE, as the top bit of the high half. */
const STCE_HIGH = Number(menvcfg.STCE >> 63n)
const MTIP = Number(mip.MTIP)

export class Machine {
  readonly config: MachineConfig
  readonly core: HartCore
  readonly board: Board
  private readonly ram: Ram
  private readonly memory: MemoryWatch
  private readonly lives: HartLife[]
  /** Virtual nanoseconds of a round. */
  readonly roundNs: number
  private roundNumber = 0
  private roundStartNs = 0
  /** The hart whose turn it is in this round. */
  private turn = 0
  private ending: Exit | null = null
  private console: number[] = []
  /** The console that printed last: what is typed goes there. */
  private port: ConsolePort = "serial"
  private given = 0
  private readonly trace: Trace = { slices: [], interrupts: [] }
  private sighting: Sighting | null = null
  /** The hart that ended its waiting last, and how far it had come. */
  private woken: StopAt | null = null
  private observesOutput = false
  /** Before anything was loaded: all of memory is zero. A machine that is taken there begins with `start`. */
  readonly blank: SleepingMachine

  /**
   * Builds and starts a machine; one that is `asleep` waits for `wake` or `moveTo` and looks at none of its contents. Precondition:
   * `bootProblem(config)` is null.
   * @throws RangeError when this computer cannot give that much memory.
   */
  constructor(config: MachineConfig, asleep = false) {
    this.config = config
    this.roundNs = config.harts === 1 ? ROUND_NS_SINGLE : ROUND_NS_MANY
    const devices = {
      deviceLoad: (address: number, bytes: number) => this.deviceLoad(address >>> 0, bytes),
      deviceStore: (address: number, bytes: number, low: number, high: number) =>
        this.deviceStore(address >>> 0, bytes, low, high),
    }
    this.core = new HartCore(config.harts, config.ramBytes, devices, config.translation, config.compiler)
    this.ram = new Ram(this.core)
    this.memory = new MemoryWatch(this.core)
    const { core } = this
    this.board = new Board(config, {
      clock: { nowNs: () => core.virtualNs(core.running) },
      memory: this.ram,
      serial: { write: byte => this.print(byte, "serial") },
      virtioConsole: { write: byte => this.print(byte, "virtio") },
      power: {
        off: code => this.end({ kind: "off", code }),
        reset: () => this.end({ kind: "reset" }),
      },
      softwareInterrupt: hart => ({ set: level => core.setPending(hart, Number(mip.MSIP), level) }),
      externalInterrupt: (hart, mode) => ({
        set: level => core.setPending(hart, Number(mode === "machine" ? mip.MEIP : mip.SEIP), level),
      }),
    })
    this.lives = Array.from({ length: config.harts }, () => "running")
    this.blank = this.saveForWake()
    if (!asleep) this.start()
  }

  private print(byte: number, port: ConsolePort): void {
    this.port = port
    this.putConsole(byte)
  }

  private putConsole(byte: number): void {
    this.console.push(byte)
    if (!this.observesOutput) return
    const before = this.sighting?.kind === "output" ? this.sighting.bytes : EMPTY
    this.sighting = { kind: "output", hart: this.core.running, bytes: Uint8Array.from([...before, byte]) }
    this.core.endAfterAccess()
  }

  /**
   * Has runs end (`budget`) at what `observation` asks for and, with `output`, after what prints; `takeSighting` tells what it was. null:
   * nowhere. Changes nothing a guest can see.
   */
  observe(observation: Observation | null, output = false): void {
    this.core.observe(observation)
    this.observesOutput = output
    this.sighting = null
  }

  /** What ended the last run, null where it was nothing that is observed. */
  takeSighting(): Sighting | null {
    const { sighting } = this
    this.sighting = null
    return sighting
  }

  /** What is found before the running hart's next instruction is known already: it is not told of. */
  pass(): void {
    this.core.pass(Math.min(this.turn, this.config.harts - 1))
  }

  /** What it finds in its memory at the beginning, in the order in which it is put there. */
  get loadedParts(): readonly LoadedPart[] {
    return loadedParts(this.config, this.board)
  }

  /** Loads what it boots and sets the harts to their first instruction. RAM is zero before. */
  start(): void {
    boot(this.config, this.core, this.ram, this.board)
    for (let hart = 0; hart < this.config.harts; hart++)
      this.lives[hart] = hart === 0 || this.config.firmware.kind !== "builtin" ? "running" : "stopped"
  }

  /** As a hardware reset: devices and harts begin anew, RAM is cleared and loaded again; time and counts go on. */
  private restart(): void {
    this.clearRam()
    this.board.reset()
    this.start()
  }

  private clearRam(): void {
    this.core.ram.fill(0)
    this.core.ramChanged(RAM_BASE, this.config.ramBytes)
    this.memory.forget()
  }

  /** Rounds completed. */
  get round(): number {
    return this.roundNumber
  }
  /** Virtual nanoseconds at the running hart. */
  get nowNs(): number {
    return this.core.virtualNs(this.core.running)
  }
  /** Instructions executed by all harts together. */
  get executed(): number {
    let sum = 0
    for (let hart = 0; hart < this.config.harts; hart++) sum += this.core.executed(hart)
    return sum
  }

  /** Where the machine stands: whose turn it is, and how far that hart has come. */
  get position(): { readonly round: number; readonly hart: number; readonly instret: number } {
    const hart = Math.min(this.turn, this.config.harts - 1)
    return { round: this.roundNumber, hart, instret: this.core.executed(hart) }
  }

  lifeOf(hart: number): HartLife {
    return this.lives[hart]!
  }

  /** Whether the running hart has executed nothing since it waited: it got to its position earlier. */
  get hasWaitedHere(): boolean {
    const { hart, instret } = this.position
    return this.woken?.hart === hart && this.woken.executed === instret
  }

  private end(exit: Exit): void {
    this.ending ??= exit
    this.core.exitAfterInstruction = exitReason.device
  }

  private deviceLoad(address: number, bytes: number): number {
    const { bus } = this.board
    const value = bytes === 8 ? bus.loadDouble(address) : bus.load(address, bytes as 1 | 2 | 4)
    if (value < 0) {
      this.core.refuseAccess()
      return 0
    }
    if (bytes === 8) this.core.loadedHigh = bus.loadedHigh
    return value | 0
  }

  private deviceStore(address: number, bytes: number, low: number, high: number): void {
    const { bus, clint } = this.board
    const taken = bytes === 8 ? bus.storeDouble(address, low, high) : bus.store(address, bytes as 1 | 2 | 4, low)
    if (!taken) this.core.refuseAccess()
    else if (address >= memoryMap.clint.base && address < memoryMap.clint.base + clint.size) {
      const { high: offsetHigh, low: offsetLow } = clint.mtimeOffset
      const offset = (BigInt(offsetHigh) << 32n) | BigInt(offsetLow)
      for (let hart = 0; hart < this.config.harts; hart++) this.core.setBig(hart, "timeOffset", offset)
      if (this.ending === null) this.core.exitAfterInstruction = exitReason.timer
    } else if (address >= memoryMap.rtc.base && address < memoryMap.rtc.base + this.board.rtc.size) {
      if (this.ending === null) this.core.exitAfterInstruction = exitReason.timer
    }
  }

  /** null: the hart has no timer of supervisor mode. */
  private supervisorDeadlineNs(hart: number): number | null {
    if (this.core.getHigh(hart, "menvcfg") >>> 31 !== STCE_HIGH) return null
    return this.board.clint.deadlineNs({
      high: this.core.getHigh(hart, "stimecmp"),
      low: this.core.getLow(hart, "stimecmp"),
    })
  }

  /**
   * Brings the timer bits of mip, and the alarm, up to a hart's time. Gives the earliest moment after it at which time alone changes what
   * the hart sees.
   */
  private updateTimers(hart: number): number {
    const { core, board } = this
    const now = core.virtualNs(hart)
    const machineTimer = board.clint.timerDeadlineNs(hart)
    core.setPending(hart, MTIP, now >= machineTimer)
    const supervisorTimer = this.supervisorDeadlineNs(hart)
    if (supervisorTimer !== null) core.setPending(hart, STIP, now >= supervisorTimer)
    const alarm = board.rtc.alarmDeadlineNs()
    if (now >= alarm) board.rtc.update()
    let deadline = Number.POSITIVE_INFINITY
    if (machineTimer > now) deadline = machineTimer
    if (supervisorTimer !== null && supervisorTimer > now && supervisorTimer < deadline) deadline = supervisorTimer
    if (alarm > now && alarm < deadline) deadline = alarm
    return deadline
  }

  /**
   * Goes on for at most `budget` instructions of all harts together, or to the end of the round, or to one of `stops`.
   * 1 ≤ budget ≤ 2^53.
   */
  run(budget: number, ...stops: readonly StopAt[]): Exit {
    if (this.turn === 0 && this.ending === null) {
      const idle = this.idleDeadline()
      if (idle !== null) return { kind: "idle", deadlineNs: idle }
    }
    let left = budget
    while (this.turn < this.config.harts) {
      const hart = this.turn
      const before = this.core.executed(hart)
      const isOver = this.runHart(hart, left, stops)
      const used = this.core.executed(hart) - before
      if (used > 0) this.noteSlice(hart, used)
      left -= used
      if (this.ending !== null) {
        const exit = this.ending
        this.ending = null
        if (exit.kind === "reset") this.restart()
        return exit
      }
      if (!isOver) return { kind: "budget" }
      this.turn++
      if (this.turn < this.config.harts) this.enterTurn()
    }
    this.roundStartNs += this.roundNs
    this.roundNumber++
    this.turn = 0
    this.enterTurn()
    return { kind: "round" }
  }

  private enterTurn(): void {
    this.core.select(this.turn)
    // Another hart may have written in between; a reservation does not outlive a turn.
    if (this.config.harts > 1) this.core.dropReservation(this.turn)
  }

  /** null when a hart can run now. */
  private idleDeadline(): number | null {
    let earliest = Number.POSITIVE_INFINITY
    for (let hart = 0; hart < this.config.harts; hart++) {
      if (this.lives[hart] === "running") return null
      if (this.lives[hart] === "stopped") continue
      this.core.select(hart)
      const deadline = this.updateTimers(hart)
      if (this.core.hasInterrupt(hart)) {
        this.core.select(0)
        return null
      }
      earliest = Math.min(earliest, deadline)
    }
    this.core.select(0)
    if (this.roundStartNs >= earliest - this.roundNs) return null
    return earliest
  }

  /** Lets time pass while the machine is idle, up to `ns` (no earlier than now, no later than the deadline it named). */
  skipTo(ns: number): void {
    const distance = ns - this.roundStartNs
    if (distance <= 0) return
    for (let hart = 0; hart < this.config.harts; hart++) this.core.skip(hart, distance)
    this.roundStartNs = ns
  }

  /** One hart's turn, or the part of it that the budget allows. Gives whether its turn is over. */
  private runHart(hart: number, budget: number, stops: readonly StopAt[]): boolean {
    const { core } = this
    const endNs = this.roundStartNs + this.roundNs
    const first = core.executed(hart)
    for (;;) {
      const now = core.virtualNs(hart)
      if (this.lives[hart] === "stopped" || now >= endNs) {
        if (now < endNs) core.skip(hart, endNs - now)
        return true
      }
      const deadline = this.updateTimers(hart)
      if (this.lives[hart] === "waiting") {
        if (core.hasInterrupt(hart)) {
          this.lives[hart] = "running"
          this.woken = { hart, executed: core.executed(hart) }
        } else {
          core.skip(hart, Math.min(deadline, endNs) - now)
          continue
        }
      }
      const executed = core.executed(hart)
      let slice = Math.min(endNs - now, deadline - now, budget - (executed - first), BUDGET_MAX)
      for (const stop of stops)
        if (stop.hart === hart && stop.executed >= executed) slice = Math.min(slice, stop.executed - executed)
      if (slice <= 0) return false
      this.runSlice(hart, slice)
      if (this.ending !== null || this.sighting !== null) return false
    }
  }

  private runSlice(hart: number, instructions: number): void {
    const { core } = this
    const reason = core.run(instructions)
    if (reason === exitReason.observed) this.sighting ??= { ...core.hit, hart }
    for (const taken of core.takeInterrupts()) this.trace.interrupts.push({ hart, ...taken })
    if (reason === exitReason.wait) this.lives[hart] = "waiting"
    else if (reason === exitReason.sbi) serveSbi(this.sbiHost, hart)
    this.lookOutside()
  }

  /** Notes that watched memory was written while no hart ran. */
  private lookOutside(): void {
    if (this.core.wasHitOutside) this.sighting ??= { ...this.core.hit, hart: this.core.running }
    this.core.wasHitOutside = false
  }

  private noteSlice(hart: number, instructions: number): void {
    const last = this.trace.slices.at(-1)
    if (last?.hart === hart) last.instructions += instructions
    else this.trace.slices.push({ hart, instructions })
  }

  private readonly sbiHost = (() => {
    const machine = this
    return {
      get core() {
        return machine.core
      },
      get ram() {
        return machine.ram
      },
      get harts() {
        return machine.config.harts
      },
      isStarted: (hart: number) => machine.lives[hart] !== "stopped",
      isSuspended: (hart: number) => machine.lives[hart] === "waiting",
      start: (hart: number) => {
        machine.lives[hart] = "running"
      },
      stop: (hart: number) => {
        machine.lives[hart] = "stopped"
      },
      suspend: (hart: number) => {
        machine.lives[hart] = "waiting"
      },
      powerOff: (code: number) => {
        machine.ending ??= { kind: "off", code }
      },
      reset: () => {
        machine.ending ??= { kind: "reset" }
      },
      putConsole: (byte: number) => {
        machine.putConsole(byte)
      },
    }
  })()

  /** Console output since the last call. */
  takeConsole(): Uint8Array {
    if (this.console.length === 0) return EMPTY
    const bytes = Uint8Array.from(this.console)
    this.console = []
    return bytes
  }

  /** Slices and interrupts since the last call. */
  takeTrace(): Trace {
    const { slices, interrupts } = this.trace
    return { slices: slices.splice(0), interrupts: interrupts.splice(0) }
  }

  /** Types into the console that printed last. Only between rounds. Gives how many bytes there was room for. */
  receive(bytes: Uint8Array): number {
    const taken = this.reader.receive(bytes)
    this.lookOutside()
    return taken
  }

  private get reader() {
    return this.port === "serial" ? this.board.uart : this.board.virtioConsole
  }

  /** How many typed bytes the guest has not read yet. */
  get unreadInput(): number {
    return this.reader.unreadBytes
  }

  /** Whether somebody in the guest has the console open for reading. */
  get listens(): boolean {
    const { uart, virtioConsole } = this.board
    return this.port === "serial" ? uart.receiveInterruptEnabled : virtioConsole.isDriverReady
  }

  /** A digest of all harts' registers: cheap, for every batch. */
  registerDigest(): Uint8Array<ArrayBuffer> {
    const digest = new Digest()
    for (let hart = 0; hart < this.config.harts; hart++) digest.bytes(this.core.saveHart(hart))
    return digest.result()
  }

  /** A digest of everything: registers, devices, disks, memory. */
  digest(): Uint8Array<ArrayBuffer> {
    this.memory.look()
    return new Digest().bytes(this.save()).bytes(this.memory.digest).result()
  }

  /** The digest of everything as the first recordings have it, over every page of memory in order. */
  pagewiseDigest(): Uint8Array<ArrayBuffer> {
    this.core.needAllPages()
    const digest = new Digest().bytes(this.save())
    const words = this.ramWords
    for (let page = 0; page < this.config.ramBytes / PAGE_BYTES; page++) {
      if (isZeroPage(words, page)) continue
      digest.number(page).words(words.subarray(page * PAGE_WORDS, (page + 1) * PAGE_WORDS))
    }
    return digest.result()
  }

  /** Every register of every hart by its usual name. For reports: 64-bit values are BigInts. */
  registers(): readonly { readonly name: string; readonly value: bigint }[] {
    const { core, config } = this
    const list: { name: string; value: bigint }[] = []
    for (let hart = 0; hart < config.harts; hart++)
      for (const [field, { count, role, size }] of Object.entries(stateFields) as [FieldName, StateField][]) {
        if (role !== "guest") continue
        for (let index = 0; index < count; index++) {
          const register = { x: integerRegisterNames, f: floatRegisterNames }[field as string]?.[index]
          const name = register ?? (count > 1 ? `${field}${index}` : field)
          const value = size === 8 ? core.getBig(hart, field, index) : BigInt(core.get(hart, field, index))
          list.push({ name: config.harts > 1 ? `hart ${hart} ${name}` : name, value })
        }
      }
    return list
  }

  /** A digest of all of memory. */
  private memoryDigest(): Uint8Array<ArrayBuffer> {
    this.memory.look()
    return this.memory.digest
  }

  /** Whether two machines are alike in registers and memory. */
  isLike(other: Machine): boolean {
    return isSame(this.registerDigest(), other.registerDigest()) && isSame(this.memoryDigest(), other.memoryDigest())
  }

  private get ramWords(): Uint32Array {
    return new Uint32Array(this.core.ram.buffer, this.core.ram.byteOffset, this.config.ramBytes / 4)
  }

  /** Everything but RAM, in canonical form. */
  save(): Uint8Array {
    const { board, core } = this
    return encodeState({
      harts: Array.from({ length: this.config.harts }, (_, hart) => core.saveHart(hart)),
      lives: [...this.lives],
      round: this.roundNumber,
      roundStartNs: this.roundStartNs,
      turn: this.turn,
      port: this.port,
      devices: Object.fromEntries(board.placed.map(({ device }) => [device.id, device.save()])),
      disks: board.disks.map(disk => disk.save()),
    })
  }

  /** Everything but the content of RAM, for `wake`. */
  saveForWake(): SleepingMachine {
    return { state: this.save(), rom: this.core.rom.slice(0, BOOT_ROM_BYTES), memoryDigest: this.memoryDigest() }
  }

  /** RAM pages that hold anything, by number. */
  *pages(): Generator<RamPage> {
    this.core.needAllPages()
    const words = this.ramWords
    for (let index = 0; index < this.config.ramBytes / PAGE_BYTES; index++)
      if (!isZeroPage(words, index)) yield this.pageAt(index)
  }

  /** A page as it is at the last look. */
  page(index: number): RamPage {
    return this.memory.isZero(index) ? { index, bytes: EMPTY } : this.pageAt(index)
  }

  private pageAt(index: number): RamPage {
    return { index, bytes: this.core.ram.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES) }
  }

  /**
   * The pages written since a mark that an earlier call gave, or since the machine began (0); those of zeros have no bytes. One that was
   * woken began with the pages it was woken with.
   */
  writtenPages(since: number): { readonly mark: number; readonly pages: readonly RamPage[] } {
    const { memory } = this
    const mark = memory.look()
    return { mark, pages: memory.writtenSince(since).map(index => this.page(index)) }
  }

  /** The lines written since a mark, and perhaps some that were before; they are taken once. */
  takeWrittenLines(since: number): WrittenLines {
    this.memory.look()
    return this.memory.takeWrittenLines(since)
  }

  /**
   * Puts a saved state back; `pages` are the RAM pages that are not zero.
   * @throws Error when the state is not one of a machine like this.
   */
  restore(saved: Uint8Array, pages: Iterable<RamPage>): void {
    const { core } = this
    this.clearRam()
    for (const { index, bytes } of pages) core.ram.set(bytes, index * PAGE_BYTES)
    this.restoreState(saved)
  }

  /**
   * Begins, built asleep, where another machine was saved. `pages` are the numbers of the RAM pages that are not zero; `source` gives
   * each when it is needed first.
   * @throws Error when the state is not one of a machine like this.
   */
  wake({ state, rom, memoryDigest }: SleepingMachine, pages: Iterable<number>, source: BringPage): void {
    const { core, memory } = this
    const given = [...pages]
    this.given = given.length
    core.rom.set(rom)
    memory.takeOver(memoryDigest)
    core.awaitPages(given, (page, target) => {
      source(page, target)
      memory.broughtIn(page)
    })
    this.restoreState(state)
  }

  /**
   * Goes to where this machine, or one like it, was saved, earlier or later. `different` is told which pages were written since a mark
   * and gives the numbers of all that may not be what they were there; `source` gives each when it is needed first, also those that are
   * still to be brought in from earlier on.
   * @throws Error when the state is not one of a machine like this.
   */
  moveTo(
    { state, rom, memoryDigest }: SleepingMachine,
    since: number,
    different: (written: readonly number[]) => Iterable<number>,
    source: BringPage,
  ): void {
    const { core, memory } = this
    core.rom.set(rom)
    core.replacePages(different([...memory.writtenSince(since), ...core.takeDirtyPages()]), (page, target) => {
      source(page, target)
      memory.broughtIn(page)
    })
    memory.takeOver(memoryDigest)
    this.restoreState(state)
  }

  /** How many pages it was woken with; 0 for one that began by itself. */
  get wokenPages(): number {
    return this.given
  }

  /** About how many pages were written since memory was last looked at: what saving would cost. */
  get unsavedPages(): number {
    return this.core.countDirtyPages()
  }

  /** A mark for `writtenPages`, of now. */
  mark(): number {
    return this.memory.look()
  }

  private restoreState(saved: Uint8Array): void {
    const { board, core, config } = this
    const fields = new StateFields("machine", decodeState(saved), [
      "harts",
      "lives",
      "round",
      "roundStartNs",
      "turn",
      "port",
      "devices",
      "disks",
    ])
    const harts = fields.value("harts") as Uint8Array[]
    const lives = fields.value("lives") as HartLife[]
    const devices = new StateFields(
      "the devices",
      fields.value("devices"),
      board.placed.map(({ device }) => device.id),
    )
    const disks = fields.value("disks") as StateValue[]
    if (harts.length !== config.harts) throw new Error("the saved machine has another number of harts")
    core.flushAll()
    for (const [hart, bytes] of harts.entries()) core.restoreHart(hart, bytes)
    for (const [hart, life] of lives.entries()) this.lives[hart] = life
    this.roundNumber = fields.integer("round", 0, Number.MAX_SAFE_INTEGER)
    this.roundStartNs = fields.integer("roundStartNs", 0, Number.MAX_SAFE_INTEGER)
    this.port = fields.value("port") as ConsolePort
    this.turn = fields.integer("turn", 0, config.harts)
    core.select(Math.min(this.turn, config.harts - 1))
    for (const { device } of board.placed) device.restore(devices.value(device.id))
    for (const [position, disk] of board.disks.entries()) disk.restore(disks[position]!)
    // Restoring devices drove their lines again: the harts' own record of them is what counts.
    for (const [hart, bytes] of harts.entries()) core.restoreHart(hart, bytes)
    this.console = []
    this.takeTrace()
    this.ending = null
    this.woken = null
  }
}

const EMPTY = new Uint8Array(0)
const PAGE_WORDS = PAGE_BYTES / 4

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, at) => byte === b[at])

const isZeroPage = (words: Uint32Array, page: number): boolean => {
  const end = (page + 1) * PAGE_WORDS
  for (let at = page * PAGE_WORDS; at < end; at++) if (words[at] !== 0) return false
  return true
}
