import { expect, test } from "vitest"
import {
  bind,
  type Context,
  compile,
  compileTruth,
  holds,
  parse,
  triggersOf,
} from "../../../src/debugger/predicate/index.ts"
import { Machine } from "../../../src/machine/machine.ts"
import { embeddedKernel } from "../../machine/embedded-kernel.ts"

const RAM = 0x80000000n
const RAM_BYTES = 16 << 20

const machine = new Machine({
  harts: 1,
  ramBytes: RAM_BYTES,
  firmware: { kind: "none" },
  kernel: embeddedKernel,
  initrd: null,
  bootArguments: "auto",
  disks: [],
  startTime: { seconds: 1, nanoseconds: 0 },
  seed: new Uint8Array(32),
})
const { core } = machine
let console = ""

/** A machine whose addresses are not translated, as that of the embedded guest. */
const context: Context = {
  get hart() {
    return core.running
  },
  get time() {
    return BigInt(machine.nowNs)
  },
  interrupt: null,
  trap: null,
  syscall: null,
  register: (hart, bank, number) => core.getBig(hart ?? core.running, bank, number),
  csr: () => null,
  memory: (_, address, bytes) => context.physical(address, bytes),
  physical: (address, bytes) => {
    const at = Number(address - RAM)
    if (at < 0 || at + bytes > RAM_BYTES) return null
    return core.ram.slice(at, at + bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  },
  symbol: () => null,
  instret: hart => BigInt(core.executed(hart ?? core.running)),
  privilege: hart => core.get(hart ?? core.running, "privilege"),
  pid: () => null,
  comm: () => null,
  said: pattern => pattern.test(console),
}

test("a machine answers, and what its registers and memory say is what it does next", () => {
  const entry = core.getBig(0, "pc")
  const word = compile(parse("mem32(pc)"))
  const half = compile(parse("phys16[pc]"))
  const started = compileTruth(bind(parse("pc == sym:entry && instret == 0 && privilege == machine"), () => entry))
  // sd rs2, offset(rs1): the offset's bits lie in 31:25 and 11:7.
  const isStore = compileTruth(parse("(mem32(pc) & 0x707f) == 0x3023"))
  const distance = compile(parse("signed32((mem32(pc) >> 25 << 5 | mem32(pc) >> 7 & 31) << 20) s>> 20"))
  expect(started(context)).toBe(1n)
  let stores = 0
  for (let count = 0; count < 20_000; count++) {
    const instruction = core.nextInstruction(0)!
    const isCompressed = (instruction & 3) !== 3
    expect((isCompressed ? half : word)(context)).toBe(BigInt(instruction >>> 0))
    const [base, source] = [(instruction >>> 15) & 31, (instruction >>> 20) & 31]
    const question = isStore(context) === 1n ? parse(`mem64(x${base} + ${distance(context)}) == x${source}`) : null
    machine.run(1)
    console += new TextDecoder("latin1").decode(machine.takeConsole())
    machine.takeTrace()
    if (question === null) continue
    expect(holds(question, context)).toBe(true)
    stores++
  }
  expect(stores).toBeGreaterThan(100)
  expect(started(context)).toBe(0n)
})

test("the moment at which the console has said something is found by waiting for the console alone", () => {
  const expression = parse("console ~ /checks/ && time > 1us && mem8(0) != 0 || console ~ /\\d of \\d checks ok/")
  const triggers = triggersOf(expression)
  if (triggers.kind !== "states") throw new Error("it is of states")
  const truth = compileTruth(expression)
  expect(triggers.perHart).toBe(false)
  expect(triggers.watch(context)).toEqual([{ on: "console" }])
  for (let steps = 0; truth(context) !== 1n; steps++) {
    expect(steps).toBeLessThan(100_000)
    const exit = machine.run(10_000)
    console += new TextDecoder("latin1").decode(machine.takeConsole())
    if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
    if (exit.kind === "off") break
  }
  expect(truth(context)).toBe(1n)
  expect(console).toMatch(/6 of 6 checks ok/)
  expect(triggers.watch(context)).toEqual([])
})
