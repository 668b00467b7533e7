/** A TCP port of this computer at which one client at a time is served. */
import { createServer, type Server, type Socket } from "node:net"
import { Effect, Schema, type Scope } from "effect"

/** The port cannot be listened at. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  address: Schema.String,
  port: Schema.Number,
  /** The operating system's name for what is wrong. */
  code: Schema.String,
}) {
  override get message(): string {
    const place = formatEndpoint(this.address, this.port)
    switch (this.code) {
      case "EADDRINUSE":
        return `${place} is in use by another program; choose another port, or 0 for a free one.`
      case "EACCES":
      case "EPERM":
        return `This computer does not let you listen at ${place}; choose a port above 1023.`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return `${this.address} is no address of this computer; use 127.0.0.1.`
      default:
        return `This computer cannot listen at ${place} (${this.code}); choose another address or port.`
    }
  }
}

export interface TcpClient {
  readonly send: (bytes: Uint8Array) => void
  /** From now on what comes goes to `take`; `ended` is called once when nothing more does. */
  readonly receive: (take: (bytes: Uint8Array) => void, ended: () => void) => void
}

export interface TcpListener {
  readonly address: string
  readonly port: number
  /** The next client. The connection ends with the scope; who connects before that is refused. */
  readonly accept: Effect.Effect<TcpClient, never, Scope.Scope>
}

/** `127.0.0.1:1234`, `[::1]:1234`. */
export const formatEndpoint = (address: string, port: number): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`

/** How long one who was refused is given to read why, and one who was served to read the last word. */
const LAST_WORD_MS = 1000
/** Clients that have connected while nobody was served, and wait for it. */
const WAITING_MAX = 8
/** What may be sent to one who does not read. */
const UNREAD_BYTES_MAX = 16 << 20

/** Ends a connection after what was sent; at once where the other end does not. */
const endConnection = (socket: Socket): Effect.Effect<void> =>
  Effect.callback<void>(resume => {
    if (socket.destroyed) return resume(Effect.void)
    const timer = setTimeout(() => socket.destroy(), LAST_WORD_MS)
    socket.once("close", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    socket.end()
    // What still comes is not read by anybody: without that the other end's closing is never seen.
    socket.resume()
  })

/** Says why to one who is refused: clients that speak first would not listen before. */
const refuse = (socket: Socket, refusal: Uint8Array): void => {
  socket.once("data", () => socket.end(refusal))
  const timer = setTimeout(() => socket.destroy(), LAST_WORD_MS)
  socket.once("close", () => clearTimeout(timer))
}

const startServer = (address: string, port: number): Effect.Effect<Server, ListenFailed> =>
  Effect.callback<Server, ListenFailed>(resume => {
    const server = createServer({ noDelay: true, pauseOnConnect: false })
    server.once("error", (cause: NodeJS.ErrnoException) =>
      resume(Effect.fail(new ListenFailed({ address, port, code: cause.code ?? cause.message }))),
    )
    server.listen(port, address, () => resume(Effect.succeed(server)))
  })

/** Listens until the scope ends; port 0 is a free one. `refusal` is sent to who comes while somebody is served. */
export const listenTcp = (
  address: string,
  port: number,
  refusal: Uint8Array,
): Effect.Effect<TcpListener, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(startServer(address, port), server => Effect.sync(() => server.close()))
    const waiting: Socket[] = []
    let isServing = false
    let wake: (() => void) | null = null
    server.on("connection", socket => {
      socket.on("error", () => socket.destroy())
      if (isServing || waiting.length >= WAITING_MAX) return refuse(socket, refusal)
      waiting.push(socket)
      wake?.()
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of waiting) socket.destroy()
      }),
    )
    const next = Effect.callback<Socket>(resume => {
      const look = () => {
        const socket = waiting.shift()
        if (socket === undefined) return
        wake = null
        isServing = true
        for (const other of waiting.splice(0)) refuse(other, refusal)
        resume(Effect.succeed(socket))
      }
      wake = look
      look()
      return Effect.sync(() => {
        wake = null
      })
    })
    const accept = Effect.flatMap(next, socket =>
      Effect.acquireRelease(Effect.succeed(clientOf(socket)), () =>
        Effect.andThen(
          endConnection(socket),
          Effect.sync(() => {
            isServing = false
          }),
        ),
      ),
    )
    const { port: found } = server.address() as { readonly port: number }
    return { address, port: found, accept }
  })

const clientOf = (socket: Socket): TcpClient => ({
  send: bytes => {
    if (socket.destroyed) return
    socket.write(bytes)
    if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy()
  },
  receive: (take, ended) => {
    let isOver = false
    const end = () => {
      if (!isOver) ended()
      isOver = true
    }
    socket.on("data", take)
    socket.once("end", end)
    socket.once("close", end)
    if (socket.destroyed || socket.readableEnded) end()
  },
})
