/** The other end of a conversation with a GdbSession, as tests have it: packets asked, answers waited for. */
import { Effect } from "effect"
import { type Debugger, openDebugger } from "../../../src/debugger/debugger.ts"
import { encodePacket, PacketReader } from "../../../src/debugger/gdb/packet.ts"
import { GdbSession } from "../../../src/debugger/gdb/session.ts"
import { WorldStore } from "../../../src/events/index.ts"
import { record } from "../../../src/session/session.ts"
import { embedded, run, script, Watcher } from "../../session/embedded.ts"

const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

/** A run of the embedded guest on two harts that ends by itself. */
export const recordEmbedded = (path: string) =>
  run(record(path, embedded({ harts: 2, bootargs: "auto" }), new Watcher(), script("")))

export class Client {
  readonly debugged: Debugger
  /** What gdb would print, as text. */
  printed = ""
  /** All bytes that came that were no packets: acknowledgments. */
  signs = ""
  received = 0
  private readonly session: GdbSession
  private readonly reader = new PacketReader()
  private readonly packets: string[] = []
  private wake: (() => void) | null = null
  /** When the session has ended. */
  readonly over: Promise<void>
  private tellOver: () => void = () => {}

  constructor(debugged: Debugger) {
    this.debugged = debugged
    this.session = new GdbSession(debugged, { world: "w", send: bytes => this.take(bytes) })
    this.over = new Promise(resolve => {
      this.tellOver = resolve
    })
  }

  get serve(): Effect.Effect<void> {
    return Effect.ensuring(
      this.session.serve,
      Effect.sync(() => this.tellOver()),
    )
  }

  private take(bytes: Uint8Array): void {
    this.received += bytes.length
    for (const received of this.reader.take(bytes)) {
      if (received.kind === "acknowledged") this.signs += "+"
      else if (received.kind === "refused") this.signs += "-"
      else if (received.kind === "packet") this.packets.push(received.payload)
      else throw new Error(`the server sent something ${received.kind}`)
    }
    this.wake?.()
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array | string): void {
    this.session.take(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes)
  }

  /** The next packet that is not text to print. */
  async next(): Promise<string> {
    for (;;) {
      const packet = this.packets.shift()
      if (packet === undefined) await new Promise<void>(resolve => (this.wake = resolve))
      else if (/^O(?!K$)/.test(packet)) this.printed += Buffer.from(packet.slice(1), "hex").toString()
      else return packet
    }
  }

  ask(packet: string): Promise<string> {
    this.send(encodePacket(packet))
    return this.next()
  }

  /** What a monitor command prints. */
  async monitor(command: string): Promise<string> {
    return Buffer.from(await this.ask(`qRcmd,${Buffer.from(command).toString("hex")}`), "hex").toString()
  }

  /** Value of a register by gdb's number. */
  async register(number: number): Promise<bigint> {
    const digits = await this.ask(`p${number.toString(16)}`)
    return BigInt(`0x${digits.match(/../g)!.reverse().join("")}`)
  }

  end(): void {
    this.session.hangUp()
  }
}

export const PC = 32

/** Opens a world's history and has it served to `body`. */
export const withClient = (path: string, body: (client: Client) => Promise<void>): Promise<void> =>
  run(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).openReadOnly(path)
      const debugged = yield* openDebugger(world, breathe)
      const client = new Client(debugged)
      const asking = Effect.ensuring(
        Effect.promise(() => body(client)),
        Effect.sync(() => client.end()),
      )
      yield* Effect.all([client.serve, asking], { concurrency: "unbounded" })
    }),
  )
