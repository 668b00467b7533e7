/** A TCP port of this computer at which each client is served, several at one time. */
import { createServer, type Server, type Socket } from "node:net"
import { Effect, FiberSet, Schema, type Scope } from "effect"

/** Nobody can be served at this place. */
export class CannotServe extends Schema.TaggedError<CannotServe>()("CannotServe", {
  place: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.place} cannot be listened at: ${this.problem}; choose another address or port, port 0 for a free one.`
  }
}

export interface ListenPlace {
  readonly address: string
  /** 0: a free one. */
  readonly port: number
}

/** `127.0.0.1:1234`, `[::1]:1234`. */
export const formatPlace = ({ address, port }: ListenPlace): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`

const problemOf = (cause: NodeJS.ErrnoException): string => {
  switch (cause.code) {
    case "EADDRINUSE":
      return "another program uses it"
    case "EACCES":
    case "EPERM":
      return "this computer does not let you"
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "it is no address of this computer"
    default:
      return cause.message
  }
}

const listen = (place: ListenPlace): Effect.Effect<Server, CannotServe> =>
  Effect.callback<Server, CannotServe>(resume => {
    const server = createServer({ noDelay: true })
    server.once("error", (cause: NodeJS.ErrnoException) =>
      resume(Effect.fail(new CannotServe({ place: formatPlace(place), problem: problemOf(cause) }))),
    )
    server.listen(place.port, place.address, () => resume(Effect.succeed(server)))
  })

/** Serves whoever connects until the scope ends; gives the place. A connection is ended when its client was served. */
export const serveClients = (
  place: ListenPlace,
  serve: (socket: Socket) => Effect.Effect<void>,
): Effect.Effect<ListenPlace, CannotServe, Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const server = yield* Effect.acquireRelease(listen(place), server => Effect.sync(() => server.close()))
    server.on("connection", socket => {
      socket.on("error", () => socket.destroy())
      run(
        Effect.ensuring(
          serve(socket),
          Effect.sync(() => socket.end()),
        ),
      )
    })
    const { port } = server.address() as { readonly port: number }
    return { address: place.address, port }
  })
