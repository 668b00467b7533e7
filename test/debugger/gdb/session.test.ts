/** Conversations packet by packet, over the embedded guest's history on two harts. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { UNCHANGEABLE } from "../../../src/debugger/gdb/session.ts"
import { parsePosition } from "../../../src/events/index.ts"
import { elfSymbol, readElf } from "../../../src/machine/elf.ts"
import { replay } from "../../../src/session/session.ts"
import { run } from "../../session/embedded.ts"
import { type Client, PC, recordEmbedded, withClient } from "./client.ts"

const directory = mkdtempSync(join(tmpdir(), "cv-gdb-"))
const path = join(directory, "w.cv")
beforeAll(() => recordEmbedded(path), 60_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const elf = readElf(readFileSync(new URL("../../../scenarios/guests/embedded/embedded.elf", import.meta.url)))
if (!elf.ok) throw new Error("the embedded guest is no ELF file")
const address = (name: string): bigint => elfSymbol(elf.file, name)!.value
const hex = (value: bigint): string => value.toString(16)

const timeout = 60_000
const talk = (name: string, body: (client: Client) => Promise<void>) =>
  it(name, { timeout }, () => withClient(path, body))

describe("getting to know each other", () => {
  talk("acknowledges until told not to", async client => {
    expect(await client.ask("qSupported:multiprocess+;swbreak+;hwbreak+")).toContain("QStartNoAckMode+")
    expect(client.signs).toBe("+")
    // What came damaged is asked for again; what went damaged is sent again.
    client.send("$g#00")
    expect(await client.ask("qC")).toBe("QC1")
    expect(client.signs).toBe("+-+")
    client.send("-")
    expect(await client.next()).toBe("QC1")
    expect(await client.ask("QStartNoAckMode")).toBe("OK")
    expect(await client.ask("qC")).toBe("QC1")
    expect(client.signs).toBe("+-++")
    // With another checksum: it is not looked at any more.
    client.send("$qC#00")
    expect(await client.next()).toBe("QC1")
  })

  talk("says what it can, and nothing to what it cannot", async client => {
    const features = (await client.ask("qSupported:xmlRegisters=i386")).split(";")
    for (const feature of ["ReverseStep+", "ReverseContinue+", "qXfer:exec-file:read+", "vContSupported+"])
      expect(features).toContain(feature)
    for (const unknown of [
      "vMustReplyEmpty",
      "qTStatus",
      "QNonStop:1",
      "!",
      "R00",
      "vRun;",
      "qXfer:auxv:read::0,10",
      "j",
    ])
      expect(await client.ask(unknown)).toBe("")
    expect(await client.ask("vCont?")).toBe("vCont;c;C;s;S;t;r")
    expect(await client.ask("qAttached")).toBe("1")
    expect(await client.ask("?")).toBe("T05thread:1;core:0;")
  })

  talk("tells of harts as threads", async client => {
    expect(await client.ask("qfThreadInfo")).toBe("m1,2")
    expect(await client.ask("qsThreadInfo")).toBe("l")
    const extra = await client.ask("qThreadExtraInfo,2")
    expect(Buffer.from(extra, "hex").toString()).toBe("hart 1, M-mode, running")
    expect(await client.ask("qXfer:threads:read::0,1000")).toContain(
      '<thread id="1" core="0">hart 0, M-mode, running</thread>',
    )
    expect([await client.ask("T1"), await client.ask("T2"), await client.ask("T3")]).toEqual(["OK", "OK", "E16"])
    expect([await client.ask("Hg2"), await client.ask("Hg7")]).toEqual(["OK", "E16"])
    const mhartid = await (async () => {
      const description = await client.ask("qXfer:features:read:target.xml:0,ffff")
      return [...description.matchAll(/<reg name="([^"]+)"/g)].findIndex(([, name]) => name === "mhartid")
    })()
    expect(await client.register(mhartid)).toBe(1n)
  })

  talk("gives documents in pieces", async client => {
    const whole = await client.ask("qXfer:features:read:target.xml:0,ffff")
    expect(whole[0]).toBe("l")
    const first = await client.ask("qXfer:features:read:target.xml:0,40")
    const rest = await client.ask("qXfer:features:read:target.xml:40,ffffffff")
    expect([first[0], rest[0]]).toEqual(["m", "l"])
    expect(first.slice(1) + rest.slice(1)).toBe(whole.slice(1))
    expect(await client.ask("qXfer:features:read:other.xml:0,10")).toBe("E00")
    expect(await client.ask("qXfer:features:read:target.xml:ffffffff,10")).toBe("E16")
    expect(await client.ask(`qXfer:memory-map:read::${(whole.length * 2).toString(16)},10`)).toBe("E16")
  })
})

describe("looking", () => {
  talk("reads memory as far as there is any", async client => {
    const code = await client.ask(`m${hex(address("_start"))},4`)
    expect(code).toBe("73100030")
    // The last bytes of RAM, and more than there are.
    expect(await client.ask("m81fffffe,10")).toBe("0000")
    expect(await client.ask("m82000000,4")).toBe("E0e")
    // A device is not asked: that would change it.
    expect(await client.ask("m10000000,1")).toBe("E0e")
    expect(await client.ask("m80000000,0")).toBe("")
  })

  talk("gives no more than a packet holds, whatever is asked", async client => {
    const before = client.received
    expect((await client.ask("m80000000,ffffffffffffffff")).length).toBeLessThanOrEqual(0x10000)
    expect((await client.ask("qXfer:threads:read::0,ffffffffffffffff")).length).toBeLessThan(0x10000)
    expect(client.received - before).toBeLessThan(0x20000)
  })

  talk("refuses to change anything, and says how to", async client => {
    expect(await client.ask("Pa=0100000000000000")).toBe(`E.${UNCHANGEABLE}`)
    expect(await client.ask("G00")).toBe(`E.${UNCHANGEABLE}`)
    expect(await client.ask("M80004000,1:00")).toBe("E0e")
    expect(await client.ask("X80004000,1:x")).toBe("E0e")
    expect(await client.ask("c80000000")).toBe(`E.${UNCHANGEABLE}`)
    // gdb shows nothing of the reason for memory: it comes with the next occasion, once.
    expect(client.printed).toBe("")
    await client.ask("vCont;s:1")
    expect(client.printed).toBe(`${UNCHANGEABLE}\n`)
    expect(await client.ask(`m80004000,1`)).toMatch(/^[\da-f]{2}$/)
  })
})

describe("going on and back", () => {
  talk("steps a hart both ways to the same places", async client => {
    const pcs: bigint[] = []
    for (let step = 0; step < 20; step++) {
      pcs.push(await client.register(PC))
      expect(await client.ask("vCont;s:1;c")).toBe("T05thread:1;core:0;")
    }
    for (const pc of pcs.reverse()) {
      expect(await client.ask("bs")).toBe("T05thread:1;core:0;")
      expect(await client.register(PC)).toBe(pc)
    }
    expect(await client.ask("bs")).toBe("T05replaylog:begin;thread:1;core:0;")
    expect(await client.ask("bc")).toBe("T05replaylog:begin;thread:1;core:0;")
  })

  talk("steps the hart that is meant", async client => {
    await client.ask("vCont;s:2;c")
    expect(await client.ask("qC")).toBe("QC2")
    expect(await client.ask("vCont;s:2;c")).toBe("T05thread:2;core:1;")
    const pc = await client.register(PC)
    await client.ask("vCont;s:2;c")
    expect(await client.ask("bs")).toBe("T05thread:2;core:1;")
    expect(await client.register(PC)).toBe(pc)
    // Named, or looked at.
    expect(await client.ask("Hc1")).toBe("OK")
    expect(await client.ask("s")).toBe("T05thread:1;core:0;")
    expect(await client.ask("Hc0")).toBe("OK")
    expect(await client.ask("T2")).toBe("OK")
    expect(await client.ask("bs")).toBe("T05thread:2;core:1;")
    expect(await client.ask("Hg1")).toBe("OK")
    await client.ask("m80000000,4")
    expect(await client.ask("bs")).toMatch(/thread:1;/)
  })

  talk("stops at breakpoints, with the reason that gdb knows", async client => {
    const main = hex(address("main"))
    await client.ask("qSupported:swbreak+;hwbreak+")
    expect(await client.ask(`Z0,${main},2`)).toBe("OK")
    expect(await client.ask(`Z0,${main},2`)).toBe("OK")
    expect(await client.ask("vCont;c")).toBe("T05swbreak:;thread:1;core:0;")
    expect(await client.register(PC)).toBe(address("main"))
    expect(await client.ask(`z0,${main},2`)).toBe("OK")
    expect(await client.ask(`z0,${main},2`)).toBe("OK")
    expect(await client.ask(`Z1,${hex(address("power_off"))},2`)).toBe("OK")
    expect(await client.ask("c")).toBe("T05hwbreak:;thread:1;core:0;")
    expect(await client.ask("c")).toBe("T05replaylog:end;thread:1;core:0;")
    expect(await client.ask("bc")).toBe("T05hwbreak:;thread:1;core:0;")
    await client.ask("qSupported:swbreak-")
    expect(await client.ask("c")).toBe("T05replaylog:end;thread:1;core:0;")
    expect(await client.ask("bc")).toBe("T05thread:1;core:0;")
  })

  talk("stops after a write going on and before it going back, also by atomics and of several harts", async client => {
    const finished = address("finished")
    expect(await client.ask(`Z2,${hex(finished)},4`)).toBe("OK")
    const value = async () => Number.parseInt((await client.ask(`m${hex(finished)},1`)).slice(0, 2), 16)
    const threads = new Set<string>()
    const positions: string[] = []
    for (;;) {
      const stop = await client.ask("vCont;c")
      if (stop.includes("replaylog")) break
      threads.add(/thread:(\d)/.exec(stop)![1]!)
      expect(stop).toMatch(new RegExp(`^T05watch:${hex(finished)};thread:([12]);core:[01];$`))
      expect(await value()).toBe(positions.length)
      positions.push(await client.monitor("position"))
    }
    // Cleared once, then counted up.
    expect(positions).toHaveLength(49)
    expect([...threads].sort()).toEqual(["1", "2"])
    for (let count = 48; count > 0; count--) {
      expect(await client.ask("bc")).toMatch(new RegExp(`^T05watch:${hex(finished)};`))
      expect(await value()).toBe(count - 1)
    }
    // A step that writes tells of it too, both ways.
    const stop = await client.ask("vCont;c")
    expect(stop).toContain("watch:")
    const thread = /thread:(\d)/.exec(stop)![1]!
    expect(await client.ask("bs")).toMatch(new RegExp(`^T05watch:${hex(finished)};thread:${thread};`))
    expect(await client.ask(`vCont;s:${thread};c`)).toMatch(new RegExp(`^T05watch:${hex(finished)};thread:${thread};`))
    expect(await client.ask(`z2,${hex(finished)},4`)).toBe("OK")
    expect(await client.ask("bs")).toBe(`T05thread:${thread};core:${Number(thread) - 1};`)
  })

  talk("leaves out the step by which gdb would get past what a watchpoint is about", async client => {
    await client.ask(`Z2,${hex(address("finished"))},4`)
    await client.ask("vCont;c")
    const there = await client.monitor("position")
    expect(await client.ask("vCont;s:1")).toBe("T05thread:1;core:0;")
    expect(await client.monitor("position")).toBe(there)
    await client.ask("vCont;s:1")
    expect(await client.monitor("position")).not.toBe(there)
    await client.ask("bc")
    const before = await client.monitor("position")
    expect(await client.ask("bs")).toBe("T05thread:1;core:0;")
    expect(await client.monitor("position")).toBe(before)
    await client.ask("bs")
    expect(await client.monitor("position")).not.toBe(before)
    // Only that step: the other way, and elsewhere, steps are steps.
    await client.ask("vCont;c")
    await client.ask("bs")
    expect(await client.monitor("position")).toBe(before)
    await client.ask("vCont;c")
    await client.monitor("seek 1ms")
    const elsewhere = await client.monitor("position")
    await client.ask("g")
    await client.ask("vCont;s:1")
    expect(await client.monitor("position")).not.toBe(elsewhere)
  })

  talk("stops at reads and at any access", async client => {
    const count = hex(address("hart_count"))
    await client.ask(`Z3,${count},4`)
    expect(await client.ask("c")).toMatch(new RegExp(`^T05rwatch:${count};`))
    await client.ask(`z3,${count},4`)
    await client.ask(`Z4,${hex(address("pushed"))},4`)
    expect(await client.ask("c")).toMatch(new RegExp(`^T05awatch:${hex(address("pushed"))};`))
  })

  talk("goes through a range of addresses until it is left", async client => {
    await client.ask(`Z0,${hex(address("crc32_prepare"))},2`)
    await client.ask("c")
    const [start, end] = [address("crc32_prepare"), address("crc32")]
    expect(await client.ask(`vCont;r${hex(start)},${hex(end)}:1;c`)).toBe("T05thread:1;core:0;")
    const pc = await client.register(PC)
    expect(pc < start || pc >= end).toBe(true)
    // An empty range is one step, and a breakpoint ends a range.
    await client.ask("bc")
    expect(await client.ask(`vCont;r${hex(start)},${hex(start)}:1`)).toBe("T05thread:1;core:0;")
    expect(await client.register(PC)).toBe(start + 4n)
    await client.ask(`Z0,${hex(start + 8n)},2`)
    await client.ask(`vCont;r${hex(start)},${hex(end)}:1;c`)
    expect(await client.register(PC)).toBe(start + 8n)
  })

  talk("is interrupted where it is", async client => {
    // Every access to what all harts use makes it slow enough to be in the midst of it.
    client.send("$c#63")
    await new Promise(resolve => setTimeout(resolve, 30))
    client.send("\x03")
    const stop = await client.next()
    expect(stop).toMatch(/^T02thread:[12];core:[01];$/)
    const when = await client.monitor("when")
    expect(when).not.toContain(" 0.000 % of")
    expect(when).not.toContain("100.000 %")
    // What comes while nothing moves counts for the next time.
    client.send("\x03")
    expect(await client.ask("?")).toMatch(/^T05/)
    expect(await client.ask("bc")).toMatch(/^T02/)
    expect(await client.monitor("when")).toBe(when)
    expect(await client.ask("vCont;s:1")).toMatch(/^T05thread/)
  })
})

describe("what it has room for", () => {
  talk("is 1024 breakpoints and 32 watchpoints", async client => {
    const outcomes = async (type: number, count: number, bytes: number) => {
      const answers: string[] = []
      for (let at = 0; at < count; at++)
        answers.push(await client.ask(`Z${type},${hex(0x80001000n + BigInt(at) * 64n)},${bytes}`))
      return answers.filter(answer => answer === "OK").length
    }
    expect(await outcomes(0, 1030, 2)).toBe(1024)
    expect(await outcomes(2, 40, 8)).toBe(32)
    expect(await client.ask("vCont;s:1")).toBe("T05thread:1;core:0;")
    expect(await client.ask("Z2,80001000,ffffff")).toBe("E16")
    expect(await client.ask("Z2,80001000,0")).toBe("E16")
    expect(await client.ask("Z9,80001000,4")).toBe("")
    expect(await client.ask("Z0,,")).toBe("E16")
  })
})

describe("monitor", () => {
  talk("goes to places and times, and gdb learns of it from a step", async client => {
    await client.ask("g")
    expect(await client.monitor("seek end")).toContain("100.000 %")
    const end = (await client.monitor("position")).trim()
    // gdb has the registers of the beginning: its step shows those of here.
    expect(await client.ask("vCont;s:1;c")).toBe("T05thread:1;core:0;")
    expect((await client.monitor("position")).trim()).toBe(end)
    expect(await client.register(PC)).toBe(client.debugged.inspection.pc(0))
    expect(await client.ask("vCont;s:1;c")).toBe("T05replaylog:end;thread:1;core:0;")
    await client.ask("g")
    expect(await client.monitor("seek start")).toContain("r0.m0.h0.i0")
    expect(await client.ask("bs")).toBe("T05thread:1;core:0;")
    expect(await client.ask("bs")).toBe("T05replaylog:begin;thread:1;core:0;")
    // Who looks again by himself is told the truth by the next step.
    await client.monitor("seek 5ms")
    expect(client.debugged.nowNs).toBe(5_000_000)
    await client.ask("g")
    const pc = await client.register(PC)
    await client.ask("vCont;s:1;c")
    expect(await client.register(PC)).not.toBe(pc)
    await client.monitor(`seek ${end}`)
    expect((await client.monitor("position")).trim()).toBe(end)
    await client.monitor("seek 1000s")
    expect((await client.monitor("position")).trim()).toBe(end)
    for (const time of ["1us", "100us", "2.5ms", "7.1234ms", "0s"]) {
      await client.monitor(`seek ${time}`)
      expect(
        Math.abs(client.debugged.nowNs - Number.parseFloat(time) * (time.endsWith("ms") ? 1e6 : 1e3)),
      ).toBeLessThan(20_000)
    }
  })

  talk("says in one sentence what is wrong", async client => {
    const position = await client.monitor("position")
    for (const [command, sentence] of [
      ["seek", /^Say where to: monitor seek/],
      ["seek nowhere", /^"nowhere" is not a position; .*\.$/],
      ["seek r9", /is not a position/],
      ["seek r1.m5.h0.i0", /^There is no r1\.m5\.h0\.i0 in this world, which has one machine, m0, /],
      ["seek r99999.m0.h0.i0", /^The history ends at .*; choose an earlier position\.$/],
      ["seek 5 parsecs", /is not a position/],
      ["frobnicate", /^There is no monitor command frobnicate; monitor help lists those there are\.$/],
      ["console -1", /is no number of lines/],
      ["console 99999", /is no number of lines/],
      ["symbols journal_appendd", /^There is no symbol journal_appendd; did you mean journal_append/],
    ] as const) {
      const answer = (await client.monitor(command)).trimEnd()
      expect(answer).toMatch(sentence)
      expect(answer).not.toContain("\n")
    }
    expect(await client.monitor("position")).toBe(position)
    expect(await client.ask("qRcmd,zz")).toBe("E16")
    expect(await client.ask("qRcmd,7")).toBe("E16")
  })

  talk("shows what was printed up to here, harmless for a terminal", async client => {
    expect(await client.monitor("console")).toBe("Nothing was printed up to here.\n")
    await client.monitor("seek end")
    const lines = (await client.monitor("console 2")).trimEnd().split("\n")
    expect(lines).toHaveLength(2)
    expect(lines[1]).toBe("autoquit: bye")
    expect(await client.monitor("console 10000")).toContain("summary: 6 of 6 checks ok")
  })

  talk("gives the digest of everything that a replay up to there gives", async client => {
    for (const place of ["start", "1ms", "7.3ms", "4ms", "end"]) {
      await client.monitor(`seek ${place}`)
      for (const step of ["vCont;s:2;c", "bs"]) {
        const until = parsePosition((await client.monitor("position")).trim())
        expect(await client.monitor("digest")).toBe(`${(await run(replay(path, { until }))).digest}\n`)
        await client.ask(step)
      }
    }
  })

  talk("gives the same digest after a step and a step back", async client => {
    for (const place of ["end", "3ms", "8ms", "0.2ms"]) {
      await client.monitor(`seek ${place}`)
      await client.ask("bs")
      const { hart } = parsePosition((await client.monitor("position")).trim())
      const digest = await client.monitor("digest")
      await client.ask(`vCont;s:${hart + 1};c`)
      expect(await client.monitor("digest")).not.toBe(digest)
      await client.ask("bs")
      expect(await client.monitor("digest")).toBe(digest)
      expect(await client.monitor("digest")).toBe(digest)
    }
  })

  it("comes to the same places whether or not digests are asked for", { timeout }, async () => {
    const finished = hex(address("finished"))
    const motions = [
      ...["vCont;s:1;c", "bs", `Z2,${finished},4`, "vCont;c", "vCont;c", "bc", "bs", "vCont;s:2;c", "bc"],
      ...["seek 6ms", "bc", "bc", `z2,${finished},4`, `Z0,${hex(address("crc32"))},2`, "seek 2ms", "vCont;c", "bc"],
      ...["bs", "bs", "vCont;c", "vCont;s:2;c", "bs", "seek end", "bs", "bc", "bs", "seek start", "vCont;c"],
    ]
    const walk = async (asks: boolean) => {
      const places: string[] = []
      await withClient(path, async client => {
        for (const motion of motions) {
          if (motion.startsWith("seek")) await client.monitor(motion)
          else places.push(await client.ask(motion))
          if (asks) await client.monitor("digest")
          places.push(await client.monitor("position"), await client.ask("g"))
        }
        places.push(await client.monitor("digest"))
      })
      return places
    }
    expect(await walk(true)).toEqual(await walk(false))
  })

  talk("helps", async client => {
    const help = await client.monitor("help")
    for (const name of ["when", "position", "digest", "seek", "console", "symbols", "snapshot", "help"])
      expect(help).toContain(`monitor ${name}`)
    expect(await client.monitor("")).toBe(help)
    const position = (await client.monitor("position")).trim()
    expect(await client.monitor("snapshot")).toContain(`cv snapshot create w NAME --at ${position}`)
    expect(await client.monitor("snapshot")).toContain(`cv fork w --at ${position} --name NAME`)
    expect(await client.monitor("symbols main")).toBe(`main is at 0x${hex(address("main"))}, 316 bytes (function)\n`)
  })
})

describe("taking leave", () => {
  it.each(["D", "k", "vKill;1"])("with %s ends the conversation and leaves no stop points", { timeout }, packet =>
    withClient(path, async client => {
      await client.ask("Z0,80001000,2")
      client.send(
        `$${packet}#${[...packet]
          .reduce((sum, c) => (sum + c.charCodeAt(0)) & 255, 0)
          .toString(16)
          .padStart(2, "0")}`,
      )
      await client.over
      expect(client.debugged.stopPoints).toEqual([])
    }),
  )

  talk("in the midst of a motion ends that too", async client => {
    client.send("$c#63")
    await new Promise(resolve => setTimeout(resolve, 20))
    client.end()
    await client.over
  })
})
