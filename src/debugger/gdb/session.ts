/**
 * One conversation with a gdb that looks at a recorded history: packets in, packets out. It begins where the debugger stands and leaves it
 * where gdb went. GDB manual, appendix "GDB Remote Serial Protocol".
 */
import { Buffer } from "node:buffer"
import { Clock, Effect } from "effect"
import type { Going, TimelineError } from "../../session/timeline/timeline.ts"
import type { Debugger, Stop } from "../debugger.ts"
import type { SymbolSource } from "../symbols/symbol-source.ts"
import { FileService, SYMBOL_FILE } from "./file-service.ts"
import { hexOfBytes, hexOfText, parseCount, parseNumber, textOfHex } from "./hex.ts"
import { memoryMap } from "./memory-map.ts"
import { runMonitor } from "./monitor.ts"
import { acknowledgment, encodePacket, escapeBinary, PACKET_BYTES_MAX, PacketReader, type Received } from "./packet.ts"
import { readGeneral, readRegister, registers } from "./registers.ts"
import { parseActions, type Resumption, SUPPORTED_ACTIONS } from "./resumption.ts"
import { type SettingOutcome, StopPoints } from "./stop-points.ts"
import { isAtWatchpoint, stopReply } from "./stop-reply.ts"
import { symbolFile } from "./symbol-file.ts"
import { targetDescription } from "./target-description.ts"
import { describeHart, listThreads, parseThread, threadId, threadsDocument } from "./threads.ts"

export interface GdbSessionOptions {
  /** The world's name on the command line. */
  readonly world: string
  /** Sends bytes to gdb. */
  readonly send: (bytes: Uint8Array) => void
}

/** What was received and not yet served. A gdb sends one packet and waits. */
const WAITING_MAX = 256
/** Memory and documents are given in pieces of so many bytes: none is longer than a packet, whatever has to be escaped. */
const PIECE_BYTES_MAX = 0x7000
/** How often gdb is told how far something is that it asked for. */
const PROGRESS_MS = 1000

const error = { malformed: "E16", fault: "E0e", tooMany: "E1c" } as const
const UNSUPPORTED = ""

export const UNCHANGEABLE =
  "History cannot be changed; begin a world of its own here with cv fork (monitor snapshot tells how)."

const settingReplies: Readonly<Record<SettingOutcome, string>> = {
  done: "OK",
  unknown: UNSUPPORTED,
  malformed: error.malformed,
  "too many": error.tooMany,
}

/** Files of names that were made already. */
const symbolFiles = new WeakMap<SymbolSource, { readonly bytes: Uint8Array | null }>()

const symbolFileOf = (symbols: SymbolSource): Uint8Array | null => {
  const known = symbolFiles.get(symbols)
  if (known !== undefined) return known.bytes
  const bytes = symbolFile(symbols)
  symbolFiles.set(symbols, { bytes })
  return bytes
}

export class GdbSession {
  private readonly debugged: Debugger
  private readonly options: GdbSessionOptions
  private readonly reader = new PacketReader()
  private readonly points: StopPoints
  private readonly names: Uint8Array | null
  private readonly files: FileService
  private readonly waiting: Received[] = []
  /** Wakes who waits for the next packet. */
  private wake: (() => void) | null = null
  private isOver = false
  /** Somebody wants the machine to stop: now, or when it goes on next. */
  private isInterrupted = false
  private acknowledges = true
  private lastSent: Uint8Array = new Uint8Array(0)
  private knownReasons: ReadonlySet<string> = new Set()
  /** The hart whose registers and memory are asked for. */
  private lookedAt: number
  /**
   * The one that gdb's user has before him, as far as it shows: gdb does not say whose step back it wants. `chosen` is the one that it
   * does say, null where it means all.
   */
  private stepped: number
  private chosen: number | null = null
  /** Harts whose registers gdb has read since the machine stopped, and those it has read that have changed since. */
  private readonly known = new Set<number>()
  private readonly outdated = new Set<number>()
  /**
   * gdb takes it that RISC-V harts stop before the instruction that a watchpoint is about, and has it executed by a step of its own, or
   * undone by one back. Here that has been done already: the hart and the kind of the step that is left out.
   */
  private due: { readonly hart: number; readonly kind: "step" | "step back" } | null = null
  /** What gdb is to print when it next listens. */
  private readonly sayings: string[] = []

  constructor(debugged: Debugger, options: GdbSessionOptions) {
    this.debugged = debugged
    this.options = options
    this.points = new StopPoints(debugged)
    this.names = symbolFileOf(debugged.symbols)
    this.files = new FileService(this.names)
    this.lookedAt = debugged.selectedHart
    this.stepped = debugged.selectedHart
  }

  private readonly going: Going = { isCancelled: () => this.isInterrupted || this.isOver }

  /** Takes bytes that came from gdb. */
  take(bytes: Uint8Array): void {
    for (const received of this.reader.take(bytes)) {
      if (received.kind === "interrupt") this.isInterrupted = true
      else if (received.kind !== "acknowledged") this.waiting.push(received)
    }
    if (this.waiting.length > WAITING_MAX) this.hangUp()
    this.wake?.()
  }

  /** The connection is gone: what goes on ends, and `serve` with it. */
  hangUp(): void {
    this.isOver = true
    this.wake?.()
  }

  /** Serves gdb until it takes its leave. */
  readonly serve: Effect.Effect<void> = Effect.suspend(() =>
    Effect.ensuring(
      this.serveAll(),
      Effect.sync(() => this.points.clear()),
    ),
  )

  private readonly next: Effect.Effect<Received | null> = Effect.callback<Received | null>(resume => {
    const look = () => {
      const received = this.isOver ? null : this.waiting.shift()
      if (received === undefined) return
      this.wake = null
      resume(Effect.succeed(received))
    }
    this.wake = look
    look()
    return Effect.sync(() => {
      this.wake = null
    })
  })

  private readonly serveAll = Effect.fnUntraced(function* (this: GdbSession) {
    for (;;) {
      const received = yield* this.next
      if (received === null) return
      switch (received.kind) {
        case "packet":
          if (this.acknowledges) this.options.send(acknowledgment(true))
          yield* this.answer(received.payload)
          break
        case "damaged":
          if (this.acknowledges) this.options.send(acknowledgment(false))
          else this.send(error.malformed)
          break
        case "refused":
          if (this.acknowledges && this.lastSent.length > 0) this.options.send(this.lastSent)
      }
    }
  })

  private send(payload: string): void {
    this.lastSent = encodePacket(payload)
    this.options.send(this.lastSent)
  }

  /** gdb prints it when it next waits for the machine, or for what a monitor command says. */
  private say(text: string): void {
    if (!this.sayings.includes(text)) this.sayings.push(text)
  }

  private readonly answer = Effect.fnUntraced(function* (this: GdbSession, packet: string) {
    const resumption = this.resumptionOf(packet)
    if (resumption !== null) return yield* this.resume(resumption)
    if (packet.startsWith("qRcmd,")) return yield* this.monitor(packet.slice(6))
    const reply = this.replyOrReason(packet)
    if (reply !== null) this.send(reply)
  })

  /** Memory comes from the world's file when it is looked at first: it may be damaged, or gone. */
  private replyOrReason(packet: string): string | null {
    try {
      return this.reply(packet)
    } catch (cause) {
      this.say(cause instanceof Error ? cause.message : String(cause))
      return error.fault
    }
  }

  /** What of the machine's going on a packet asks for; null where it is about something else, or makes no sense. */
  private resumptionOf(packet: string): Resumption | null {
    if (packet.startsWith("vCont;")) return parseActions(packet.slice(5), this.harts)
    if (packet === "bc") return { kind: "continue back" }
    if (packet === "bs") return { kind: "step back" }
    if (/^(?:c|C[\da-fA-F]{2})$/.test(packet)) return { kind: "continue" }
    return /^(?:s|S[\da-fA-F]{2})$/.test(packet) ? { kind: "step", hart: null } : null
  }

  private get harts(): number {
    return this.debugged.inspection.harts
  }

  /** The answer to a packet that moves nothing; null where there is none. */
  private reply(packet: string): string | null {
    const { inspection } = this.debugged
    const rest = packet.slice(1)
    switch (packet[0]) {
      case "?":
        return this.standing()
      case "g":
        if (rest !== "") return UNSUPPORTED
        this.looks()
        return readGeneral(inspection, this.lookedAt)
      case "p": {
        const number = parseCount(rest, registers.length - 1)
        if (number === null) return error.malformed
        this.looks()
        return readRegister(inspection, this.lookedAt, number) ?? error.malformed
      }
      case "m":
        return this.readMemory(rest)
      case "G":
      case "P":
        return `E.${UNCHANGEABLE}`
      case "M":
      case "X":
        // gdb says no more than that the memory cannot be written.
        this.say(UNCHANGEABLE)
        return error.fault
      // With an address to go on at.
      case "c":
      case "s":
      case "C":
      case "S":
        return `E.${UNCHANGEABLE}`
      case "H":
        return this.selectThread(rest)
      case "T": {
        const thread = parseThread(rest, this.harts)
        if (typeof thread !== "number") return error.malformed
        this.stepped = thread
        return "OK"
      }
      case "Z":
      case "z":
        return settingReplies[this.points.change(packet[0] === "Z", rest, this.lookedAt)]
      case "D":
        this.isOver = true
        return "OK"
      case "k":
        this.isOver = true
        return null
      case "q":
      case "Q":
        return this.query(packet)
      case "v":
        return this.named(packet)
      default:
        return UNSUPPORTED
    }
  }

  private standing(): string {
    const { position } = this.debugged
    const stop: Stop = { reason: { kind: "place" }, hart: this.stepped, position }
    return stopReply(stop, this.stepped, this.points, this.knownReasons)
  }

  /** gdb reads registers of the hart it looks at. */
  private looks(): void {
    this.known.add(this.lookedAt)
    this.outdated.delete(this.lookedAt)
  }

  private readMemory(text: string): string {
    const match = /^([\da-f]+),([\da-f]+)$/i.exec(text)
    const [address, length] = [parseNumber(match?.[1] ?? ""), parseNumber(match?.[2] ?? "")]
    if (address === null || length === null) return error.malformed
    if (length === 0n) return ""
    const piece = length < BigInt(PIECE_BYTES_MAX) ? Number(length) : PIECE_BYTES_MAX
    // Its stack is looked through: it is the one that is before somebody.
    this.stepped = this.lookedAt
    const { inspection, linux } = this.debugged
    const bytes = inspection.readSome(this.lookedAt, address, piece)
    if (bytes.length > 0) return hexOfBytes(bytes)
    // A kernel's own memory is there before the kernel has mapped it.
    const physical = linux?.physical(address) ?? null
    const image = physical === null ? null : inspection.readPhysical(physical, piece)
    return image === null ? error.fault : hexOfBytes(image)
  }

  private selectThread(text: string): string {
    const thread = parseThread(text.slice(1), this.harts)
    if (thread === null) return error.malformed
    if (text[0] === "g") this.lookedAt = typeof thread === "number" ? thread : this.lookedAt
    else if (text[0] === "c") this.chosen = typeof thread === "number" ? thread : null
    else return UNSUPPORTED
    return "OK"
  }

  /** Packets q and Q. */
  private query(packet: string): string {
    const [, name, rest] = /^([^:,;]*)[:,;]?(.*)$/s.exec(packet)!
    switch (name) {
      case "qSupported":
        return this.supported(rest!)
      case "qC":
        return `QC${threadId(this.stepped)}`
      case "qfThreadInfo":
        return `m${listThreads(this.harts)}`
      case "qsThreadInfo":
        return "l"
      case "qThreadExtraInfo": {
        const thread = parseThread(rest!, this.harts)
        if (typeof thread !== "number") return error.malformed
        return hexOfText(describeHart(this.debugged, thread))
      }
      case "qAttached":
        return "1"
      case "qSymbol":
        return "OK"
      case "qXfer":
        return this.transfer(rest!)
      case "QStartNoAckMode":
        this.acknowledges = false
        this.reader.checks = false
        return "OK"
      default:
        return UNSUPPORTED
    }
  }

  private supported(theirs: string): string {
    this.knownReasons = new Set(
      theirs.split(";").flatMap(feature => (feature.endsWith("+") ? [feature.slice(0, -1)] : [])),
    )
    return [
      `PacketSize=${PACKET_BYTES_MAX.toString(16)}`,
      "QStartNoAckMode+",
      "qXfer:features:read+",
      "qXfer:memory-map:read+",
      "qXfer:threads:read+",
      ...(this.names === null ? [] : ["qXfer:exec-file:read+"]),
      "vContSupported+",
      "ReverseStep+",
      "ReverseContinue+",
      "swbreak+",
      "hwbreak+",
    ].join(";")
  }

  /** A piece of a document. */
  private transfer(text: string): string {
    const match = /^([\w-]+):read:([^:]*):([\da-f]+),([\da-f]+)$/i.exec(text)
    if (match === null) return UNSUPPORTED
    const [, object, annex, from, length] = match
    const document = this.document(object!, annex!)
    if (document === null) return object === "features" ? "E00" : UNSUPPORTED
    const offset = parseCount(from!, document.length)
    const count = parseCount(length!, Number.MAX_SAFE_INTEGER)
    if (offset === null || count === null) return error.malformed
    const end = offset + Math.min(count, PIECE_BYTES_MAX)
    return `${end < document.length ? "m" : "l"}${escapeBinary(Buffer.from(document.slice(offset, end), "latin1"))}`
  }

  private document(object: string, annex: string): string | null {
    switch (object) {
      case "features":
        return annex === "target.xml" ? targetDescription : null
      case "memory-map":
        return memoryMap
      case "threads":
        return threadsDocument(this.debugged)
      case "exec-file":
        return this.names === null ? null : SYMBOL_FILE
      default:
        return null
    }
  }

  /** Packets v. */
  private named(packet: string): string | null {
    if (packet === "vCont?") return SUPPORTED_ACTIONS
    if (packet.startsWith("vCont;")) return error.malformed
    const file = /^vFile:([a-z]+):(.*)$/s.exec(packet)
    if (file !== null) return this.files.serve(file[1]!, file[2]!)
    if (!packet.startsWith("vKill;")) return UNSUPPORTED
    this.isOver = true
    return "OK"
  }

  /** `monitor`. */
  private readonly monitor = Effect.fnUntraced(function* (this: GdbSession, digits: string) {
    const text = textOfHex(digits)
    if (text === null) return this.send(error.malformed)
    const clock = yield* Clock.Clock
    let saidAt = clock.currentTimeMillisUnsafe()
    // gdb complains where it hears nothing for two seconds.
    const progress = (done: number) => {
      const now = clock.currentTimeMillisUnsafe()
      if (now - saidAt < PROGRESS_MS) return
      saidAt = now
      this.send(`O${hexOfText(`${Math.min(100, Math.floor(done * 100))} %\n`)}`)
    }
    // It is gdb's custom to be interrupted itself meanwhile.
    const going: Going = { progress, isCancelled: () => this.isOver }
    const moved = () => {
      this.due = null
      for (const hart of this.known) this.outdated.add(hart)
    }
    const answer = yield* runMonitor({ debugged: this.debugged, world: this.options.world, going, moved }, text)
    const sayings = this.sayings.splice(0).map(saying => `${saying}\n`)
    this.send(hexOfText([...sayings, answer].join("")))
  })

  private readonly resume = Effect.fnUntraced(function* (this: GdbSession, resumption: Resumption) {
    const stop = yield* this.isInterrupted ? Effect.succeed(this.staying("cancelled")) : this.travel(resumption)
    this.isInterrupted = false
    if (this.isOver) return
    this.lookedAt = stop.hart
    this.stepped = stop.hart
    this.known.clear()
    this.outdated.clear()
    const isBack = resumption.kind === "continue back" || resumption.kind === "step back"
    this.due = isAtWatchpoint(stop, this.points) ? { hart: stop.hart, kind: isBack ? "step back" : "step" } : null
    for (const saying of this.sayings.splice(0)) this.send(`O${hexOfText(`${saying}\n`)}`)
    this.send(stopReply(stop, stop.hart, this.points, this.knownReasons))
  })

  private staying(kind: "cancelled" | "step", hart = this.stepped): Stop {
    return { reason: { kind }, hart, position: this.debugged.position }
  }

  /** Goes as gdb wants, tells why it ended. */
  private readonly travel = (resumption: Resumption): Effect.Effect<Stop> =>
    this.way(resumption).pipe(
      Effect.catch((problem: TimelineError) =>
        Effect.sync(() => {
          this.say(problem.message)
          return this.staying("step")
        }),
      ),
    )

  private readonly way = Effect.fnUntraced(function* (this: GdbSession, resumption: Resumption) {
    const { debugged, going } = this
    switch (resumption.kind) {
      case "stay":
        return this.staying("step")
      case "continue":
        // More may be recorded by now.
        yield* debugged.timeline.refresh
        yield* debugged.console.refresh
        return yield* debugged.goOn(going)
      case "continue back":
        return yield* debugged.goBack(going)
    }
    const hart = ("hart" in resumption ? resumption.hart : null) ?? this.chosen ?? this.stepped
    // gdb believes that this hart stands where it stood before somebody went elsewhere: it learns it from a step to there.
    if (this.outdated.has(hart)) return this.staying("step", hart)
    if (this.due?.hart === hart && this.due.kind === resumption.kind) return this.staying("step", hart)
    debugged.selectedHart = hart
    switch (resumption.kind) {
      case "step":
        return yield* debugged.step(1, going, debugged.stopPoints)
      case "step back":
        return yield* debugged.stepBack(1, going, debugged.stopPoints)
      case "range": {
        const { start, end } = resumption
        const isInside = () => {
          const pc = debugged.inspection.pc(hart)
          return start <= pc && pc < end
        }
        return yield* debugged.stepWhile(isInside, going, debugged.stopPoints)
      }
    }
  })
}
