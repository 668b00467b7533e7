/** Whatever comes: the session answers the next sensible question, soon, and holds no more than it should. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { PACKET_BYTES_MAX } from "../../../src/debugger/gdb/packet.ts"
import { type Client, recordEmbedded, withClient } from "./client.ts"

const directory = mkdtempSync(join(tmpdir(), "cv-gdb-"))
const path = join(directory, "w.cv")
beforeAll(() => recordEmbedded(path), 60_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const timeout = 120_000

const chance = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * below)
  }
}

const framed = (payload: string): string => {
  const sum = [...payload].reduce((total, character) => total + character.charCodeAt(0), 0) & 0xff
  return `$${payload}#${sum.toString(16).padStart(2, "0")}`
}

/** Packets that gdb sends, to be spoilt; none of them goes far. */
const sensible = [
  "qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386",
  "vMustReplyEmpty",
  "?",
  "g",
  "p20",
  "pd5",
  "m80000000,40",
  "Hg1",
  "Hc-1",
  "T2",
  "qXfer:features:read:target.xml:0,1000",
  "qXfer:threads:read::0,1000",
  "qXfer:exec-file:read::0,40",
  "vFile:open:2f766d6c696e7578,0,0",
  "vFile:pread:3,1000,0",
  "vFile:fstat:3",
  "vFile:close:3",
  "Z0,80001000,2",
  "z0,80001000,2",
  "Z2,80004000,8",
  "z2,80004000,8",
  "vCont?",
  "vCont;s:1;c",
  "vCont;r80000000,80000010:1",
  "vCont;t",
  "bs",
  "qRcmd,7768656e",
  "qRcmd,7365656b203173",
  "qThreadExtraInfo,1",
  "qSymbol::",
  "P1=0000000000000000",
  "X80000000,4:abcd",
  "M80000000,1:00",
]

const nonsense = [
  "m ffffffffffffffff,ffffffff",
  "mffffffffffffffff,ffffffff",
  "mffffffffffffffff,ffffffffffffffffffffffff",
  "m,",
  "m80000000",
  "m-1,4",
  "Z9,0,0",
  "Z0",
  "Z2,ffffffffffffffff,8",
  "Z2,80000000,ffffffffffffffff",
  "z4,,,,",
  "vCont",
  "vCont;;;",
  "vCont;s:99",
  "vCont;r,:",
  `vCont${";c".repeat(10_000)}`,
  "p",
  "pffffffffffffffff",
  "p-1",
  "g1",
  "H",
  "Hg",
  "Hx1",
  "T",
  "T-1",
  "qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff",
  "qXfer:features:write:target.xml:0:abc",
  "qXfer:::::",
  "qXfer:threads:read::-1,10",
  "qRcmd,",
  "qRcmd,f",
  `qRcmd,${"41".repeat(30_000)}`,
  "qThreadExtraInfo,",
  "qSupported",
  "qSupported:;;;+;-;=;?",
  "vFile:",
  "vFile:open:",
  "vFile:pread:3,ffffffffffffffff,ffffffffffffffff",
  "vFile:pread:,,",
  "QStartNoAckMode;x",
  "",
  "\x00\x01\x02",
  "é".repeat(100),
]

/** Asks something whose answer is known, with as many words before it as there may be. */
const isAlive = async (client: Client): Promise<void> => {
  client.send(framed("qAttached"))
  for (let words = 0; words < 4000; words++) if ((await client.next()) === "1") return
  expect.unreachable("no answer to a sensible question")
}

describe("nonsense", () => {
  it.each(nonsense.map(text => [text.slice(0, 60), text]))("%j is answered", { timeout }, async (_, text) => {
    await withClient(path, async client => {
      const before = client.received
      const answer = await client.ask(text)
      expect(answer).toMatch(/^(?:|OK|E[\da-f]{2}|[A-Za-z0-9].*)$/s)
      expect(client.received - before).toBeLessThan(2 * PACKET_BYTES_MAX)
      await isAlive(client)
    })
  })
})

describe("garbage", () => {
  it.each([1, 2, 3, 4])("from seed %i leaves the session in order", { timeout }, async seed => {
    await withClient(path, async client => {
      const pick = chance(seed)
      const letters = "$#}*+-:;,\x03\x00\xff0123456789abcdefgmpzZvqQHTcsbG"
      for (let round = 0; round < 150; round++) {
        let text = sensible[pick(sensible.length)]!
        const kind = pick(6)
        if (kind === 0) text = framed(text).slice(0, pick(text.length + 4))
        else if (kind === 1) text = framed(text).replace(/#..$/, "#00")
        else if (kind === 2) {
          const at = pick(text.length)
          text = framed(text.slice(0, at) + letters[pick(letters.length)] + text.slice(at + 1))
        } else if (kind === 3) text = Array.from({ length: pick(200) }, () => letters[pick(letters.length)]).join("")
        else if (kind === 4) text = framed(text + letters[pick(letters.length)]!.repeat(pick(3000)))
        else text = framed(text)
        const bytes = Buffer.from(text, "latin1")
        const cut = pick(bytes.length + 1)
        client.send(bytes.subarray(0, cut))
        client.send(bytes.subarray(cut))
        if (round % 10 === 9) await isAlive(client)
      }
      await isAlive(client)
    })
  })
})

describe("too much", () => {
  it("in one packet is not kept", { timeout }, async () => {
    await withClient(path, async client => {
      const before = process.memoryUsage().rss
      client.send("$m")
      for (let piece = 0; piece < 200; piece++) client.send("f".repeat(1 << 20))
      expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20)
      client.send("#00")
      await isAlive(client)
    })
  })

  it("at once ends the conversation", { timeout }, async () => {
    await withClient(path, async client => {
      client.send(framed("g").repeat(10_000))
      await client.over
      expect(client.received).toBeLessThan(10 << 20)
    })
  })
})
