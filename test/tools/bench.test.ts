import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { commandsWithin } from "../../tools/bench/engine.ts"
import { linuxPieces, listenTo, orderOf } from "../../tools/bench/in-linux.ts"
import { ENGINES, Runs } from "../../tools/bench/results.ts"

const sum = (digit: string) => digit.repeat(64)

describe("a session inside Linux", () => {
  it("is timed by when the prompt and the marks arrive, however they are cut", () => {
    const typed: string[] = []
    const listener = listenTo(["gzip", "sort"])
    let text = ""
    const hear = (ms: number, more: string) => {
      text += more
      return listener(text, ms, keys => typed.push(keys))
    }
    hear(100, "Linux version 6\r\ndebi")
    expect(typed).toEqual([])
    hear(2000, "an:/# ")
    expect(typed).toEqual(["/bench/run gzip sort; poweroff -f\n"])
    hear(2100, "/bench/run gzip sort; poweroff -f\r\nbench-begin gz")
    hear(2200, "ip\r\n")
    hear(3200, "bench-end gzip\r\n")
    hear(3300, `bench-result gzip ${sum("a")}\r\n`)
    hear(3400, "bench-begin sort\r\n")
    hear(3450, "bench-end sort\r\n")
    expect(hear(3460, `bench-result sort ${sum("b").slice(1)}`)).toBeUndefined()
    expect(hear(3470, "b\r\n")).toEqual({
      bootMs: 2000,
      pieces: [
        { piece: "gzip", ms: 1000, checksum: sum("a") },
        { piece: "sort", ms: 50, checksum: sum("b") },
      ],
    })
  })

  it("has a case for every piece in the guest's script", () => {
    const script = readFileSync(join(import.meta.dirname, "../../tools/bench/linux/run"), "utf8")
    expect([...script.matchAll(/^ {2}(\w+)\)/gm)].map(([, piece]) => piece)).toEqual(linuxPieces)
  })
})

describe("the engines of a bench", () => {
  it("come each right after each other one, equally often", () => {
    const rounds = ENGINES.map((_, round) => orderOf(round))
    const neighbours = rounds.flatMap(order => order.slice(1).map((engine, at) => `${order[at]} ${engine}`))
    expect(rounds.every(order => new Set(order).size === ENGINES.length)).toBe(true)
    expect(new Set(neighbours).size).toBe(ENGINES.length * (ENGINES.length - 1))
  })

  it("start the same guest", () => {
    const commandOf = commandsWithin("/worlds")
    const linux = { kernel: "/k", memory: "512M", harts: 1, linux: { initrd: "/i", append: "console=ttyS0" } }
    for (const engine of ENGINES) {
      const words = commandOf(engine, linux)[1].map(word => word.replace(/^--?/, ""))
      for (const part of ["/k", "m 512M", "initrd /i", "append console=ttyS0"])
        expect(` ${words.join(" ")} `).toContain(` ${part} `)
      expect(words.includes("none")).toBe(false)
      expect(commandOf(engine, { kernel: "/k", memory: "256M", harts: 2 })[1]).toEqual(
        expect.arrayContaining(["none", "2", "256M"]),
      )
    }
  })
})

describe("the runs of a bench", () => {
  it("become medians", () => {
    const runs = new Runs()
    for (const engine of ENGINES) for (const ms of [30, 10, 20]) runs.add("crc", engine, ms, "0")
    for (const engine of ENGINES) for (const ms of [30, 10, 50, 20]) runs.add("list", engine, ms, "0")
    expect(runs.results()).toMatchObject([
      { program: "crc", ms: { qemu: 20, recording: 20 } },
      { program: "list", ms: { qemu: 25, recording: 25 } },
    ])
  })

  it("must come to the same", () => {
    const runs = new Runs()
    runs.add("crc", "qemu", 1, "0123")
    expect(() => runs.add("crc", "recording", 1, "4567")).toThrow("crc came to 4567 on recording and to 0123 before")
  })
})
