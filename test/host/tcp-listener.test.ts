import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { describe, expect, it } from "vitest"
import { formatEndpoint, type ListenFailed, listenTcp } from "../../src/host/tcp-listener.ts"

const refusal = Buffer.from("not now")
const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Effect.scoped(effect))

/** All that comes until the other end closes. */
const everything = async (socket: Socket): Promise<string> => {
  let text = ""
  socket.on("data", piece => (text += piece))
  await once(socket, "close")
  return text
}

describe("a port that cannot be had", () => {
  it.each([
    ["127.0.0.1", /^127\.0\.0\.1:\d+ is in use by another program; choose another port, or 0 for a free one\.$/],
    ["192.0.2.1", /^192\.0\.2\.1 is no address of this computer; use 127\.0\.0\.1\.$/],
  ])("at %s is told of in one sentence", async (address, sentence) => {
    const other = createServer().listen(0, "127.0.0.1")
    await once(other, "listening")
    const { port } = other.address() as { port: number }
    const error: ListenFailed = await run(Effect.flip(listenTcp(address, port, refusal)))
    expect(error.message).toMatch(sentence)
    other.close()
  })
})

it("one client after the other is served, and who comes meanwhile is refused", async () => {
  await run(
    Effect.gen(function* () {
      const listener = yield* listenTcp("127.0.0.1", 0, refusal)
      expect(listener.port).toBeGreaterThan(0)
      const sockets = ["first", "second"].map(() => connect(listener.port, "127.0.0.1"))
      for (const word of ["one", "two"]) {
        const socket = word === "one" ? sockets[0]! : connect(listener.port, "127.0.0.1")
        socket.write(word)
        const said = everything(socket)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = yield* listener.accept
            const heard = yield* Effect.promise(
              () =>
                new Promise<string>(resolve =>
                  client.receive(
                    bytes => resolve(Buffer.from(bytes).toString()),
                    () => {},
                  ),
                ),
            )
            expect(heard).toBe(word)
            client.send(Buffer.from(`hello ${heard}`))
            if (word === "two") return
            const late = connect(listener.port, "127.0.0.1")
            late.write("three")
            expect(yield* Effect.promise(() => everything(late))).toBe("not now")
          }),
        )
        expect(yield* Effect.promise(() => said)).toBe(`hello ${word}`)
      }
      sockets[1]!.destroy()
    }),
  )
})

it("a client that goes away is told of, once, and one that reads nothing is sent no more than some", async () => {
  await run(
    Effect.gen(function* () {
      const listener = yield* listenTcp("127.0.0.1", 0, refusal)
      const socket = connect(listener.port, "127.0.0.1")
      socket.on("error", () => {})
      yield* Effect.promise(() => once(socket, "connect"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* listener.accept
          let ends = 0
          const ended = new Promise<void>(resolve =>
            client.receive(
              () => {},
              () => {
                ends++
                resolve()
              },
            ),
          )
          for (let piece = 0; piece < 64; piece++) client.send(new Uint8Array(1 << 20))
          yield* Effect.promise(() => ended)
          yield* Effect.promise(() => new Promise(resolve => setTimeout(resolve, 50)))
          expect(ends).toBe(1)
        }),
      )
      socket.destroy()
    }),
  )
})

it("the port is free again afterwards", async () => {
  const port = await run(Effect.map(listenTcp("127.0.0.1", 0, refusal), listener => listener.port))
  expect(await run(Effect.map(listenTcp("127.0.0.1", port, refusal), listener => listener.port))).toBe(port)
})

it("endpoints are written as they are read", () => {
  expect(formatEndpoint("127.0.0.1", 1234)).toBe("127.0.0.1:1234")
  expect(formatEndpoint("::1", 1234)).toBe("[::1]:1234")
})
