import { expect, test } from "vitest"
import { bind, type Needs, needsOf, parse } from "../../../src/debugger/predicate/index.ts"
import { csrByName, csrNames } from "../../../src/riscv/csr-name.ts"

const symbols = new Map([
  ["jiffies", 0x1000n],
  ["counter", 0x2000n],
])
const needs = (text: string): Needs => needsOf(bind(parse(text), name => symbols.get(name) ?? null))

const nothing: Needs = {
  memory: [],
  hasVariableAddress: false,
  registers: [],
  csrs: [],
  console: [],
  interrupt: false,
  trap: false,
  syscall: false,
  privilege: false,
  instret: false,
  time: false,
  task: false,
  hart: false,
  symbols: [],
  perHart: false,
}
const virtual = (address: bigint, bytes: number, hart: number | null = null) =>
  ({ space: "virtual", hart, address, bytes }) as const
const csr = (name: string, hart: number | null = null) => ({ hart, csr: csrByName(name)! })

test.each([
  ["1 + 2 == 3", {}],
  ["mem64(sym:jiffies) > 100", { memory: [virtual(0x1000n, 8)] }],
  ["mem32(sym:counter + 4 * 2) == 0x10 && hart == 1", { memory: [virtual(0x2008n, 4)], hart: true, perHart: true }],
  ["mem8(1) == 1 || mem8(1) == 2 || h1.mem8(1) == 3", { memory: [virtual(1n, 1), virtual(1n, 1, 1)] }],
  ["phys16(0x80200000)", { memory: [{ space: "physical", hart: null, address: 0x80200000n, bytes: 2 }] }],
  ["mem64(sym:missing)", { hasVariableAddress: true, symbols: ["missing"] }],
  ["mem64(mem64(sym:jiffies) + 8)", { hasVariableAddress: true, memory: [virtual(0x1000n, 8)] }],
  [
    "mem8[a0 + 4] == 'x'",
    { hasVariableAddress: true, registers: [{ hart: null, bank: "x", number: 10 }], perHart: true },
  ],
  [
    "h1.pc == 5 || h1.x2 == h1.sp || h0.fa0 == 0",
    {
      registers: [
        { hart: 1, bank: "pc", number: 0 },
        { hart: 1, bank: "x", number: 2 },
        { hart: 0, bank: "f", number: 10 },
      ],
    },
  ],
  ["csr.satp != 0", { csrs: [csr("satp")], perHart: true }],
  ["h2.csr.sstatus & 2", { csrs: [csr("mstatus", 2)] }],
  ["h0.csr.sip & h0.csr.sie & h0.csr.mip", { csrs: [csr("mip", 0), csr("mideleg", 0), csr("mie", 0)] }],
  ["h0.csr.fcsr", { csrs: [csr("fflags", 0), csr("frm", 0)] }],
  ["h0.csr.cycle", { csrs: [csr("mcycle", 0)], instret: true }],
  ["h0.csr.minstret", { csrs: [csr("minstret", 0)], instret: true }],
  ["h0.csr.time", { time: true }],
  ["h0.csr.mhartid + h0.csr.mhpmcounter7 + h0.csr.hpmcounter31 + h0.csr.mhpmevent3", {}],
  ["interrupt == timer", { interrupt: true }],
  ["trap == 13 || syscall == 64", { trap: true, syscall: true }],
  ["privilege == user", { privilege: true, perHart: true }],
  ["h0.privilege == user", { privilege: true }],
  ["instret > 5", { instret: true, perHart: true }],
  ["time > 1.5s", { time: true }],
  ["pid == 12", { task: true, perHart: true }],
  ['h3.comm == "sh"', { task: true }],
] satisfies [string, Partial<Needs>][])("%s", (text, expected) =>
  expect(needs(text)).toEqual({ ...nothing, ...expected }),
)

test("patterns are the objects the console is asked for", () => {
  const expression = parse("console ~ /a/ && console !~ /b/i")
  const asked: RegExp[] = needsOf(expression).console.slice()
  expect(asked).toEqual([/a/, /b/i])
  expect(needsOf(bind(expression, () => null)).console[0]).toBe(asked[0])
})

test("every control and status register is stored, a view of what is stored, or a constant", () => {
  // The state of a hart has a place for each of these; `pmpcfg0`, `pmpcfg2` and `pmpaddr` among them.
  const stored = new Set(csrNames.flatMap(name => needs(`h0.csr.${name}`).csrs.map(need => need.csr)))
  const views = ["sstatus", "sie", "sip", "fcsr", "cycle", "instret", "time"].map(name => csrByName(name)!)
  for (const view of views) expect(stored.has(view)).toBe(false)
  const constants = csrNames.filter(name => {
    const { csrs, instret, time } = needs(`h0.csr.${name}`)
    return csrs.length === 0 && !instret && !time
  })
  expect(constants.filter(name => !/^m?hpm/.test(name)).sort()).toEqual(
    // biome-ignore format: a list
    ["marchid", "mconfigptr", "mcountinhibit", "mhartid", "mimpid", "misa", "mvendorid", "tdata1", "tdata2", "tdata3", "tselect"],
  )
})
