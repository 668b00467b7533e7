import { describe, expect, it } from "vitest"
import { cause } from "../../src/riscv/trap.ts"
import { Bench, RAM_BASE } from "./harness.ts"

const bench = new Bench()
const DATA = RAM_BASE + 0x8000
const PATTERN = 0x8899aabbccddeeffn

describe("loads extend their value", () => {
  it.each([
    ["lb", BigInt.asIntN(8, PATTERN)],
    ["lbu", BigInt.asUintN(8, PATTERN)],
    ["lh", BigInt.asIntN(16, PATTERN)],
    ["lhu", BigInt.asUintN(16, PATTERN)],
    ["lw", BigInt.asIntN(32, PATTERN)],
    ["lwu", BigInt.asUintN(32, PATTERN)],
    ["ld", BigInt.asIntN(64, PATTERN)],
  ])("%s", (name, expected) => {
    expect(bench.finish(`li a1, ${DATA}\nli a2, ${PATTERN}\nsd a2, (a1)\n${name} a0, (a1)`).signed("a0")).toBe(expected)
  })
})

describe("stores write their width and no more", () => {
  it.each([
    ["sb", 1],
    ["sh", 2],
    ["sw", 4],
    ["sd", 8],
  ] as const)("%s", (name, bytes) => {
    bench.finish(
      `li a1, ${DATA}\nli a2, -1\nsd a2, -8(a1)\nsd a2, (a1)\nsd a2, 8(a1)\nli a3, 0x0102030405060708\n${name} a3, (a1)`,
    )
    const kept = -1n << BigInt(bytes * 8)
    const expected = (0x0102030405060708n & ~kept) | kept
    expect(bench.word64(DATA)).toBe(BigInt.asUintN(64, expected))
    expect([bench.word64(DATA - 8), bench.word64(DATA + 8)]).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n])
  })
})

describe("misaligned loads and stores", () => {
  const widths = [
    ["sh", "lhu", 2],
    ["sw", "lwu", 4],
    ["sd", "ld", 8],
  ] as const
  const places = widths.flatMap(([store, load, bytes]) =>
    [1, 2, 3, 5, 7].flatMap(offset => [
      [store, load, bytes, DATA + offset],
      [store, load, bytes, DATA + 0x1000 - offset],
    ]),
  ) as [string, string, number, number][]
  it.each(places)("%s, %s of %d bytes at %#x, inside a page and across two", (store, load, bytes, address) => {
    const value = 0x1122334455667788n & ((1n << BigInt(bytes * 8)) - 1n)
    // Twice: the second time translations are at hand.
    for (const times of [1, 2]) {
      const again = `li a2, ${value}\n${store} a2, (a1)\n${load} a0, (a1)\n`
      bench.finish(`li a1, ${address}\n${again.repeat(times)}`)
      expect(bench.x("a0")).toBe(value)
      const written = Array.from({ length: bytes }, (_, at) => bench.byte(address + at))
      expect(written).toEqual(Array.from({ length: bytes }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn)))
      expect([bench.byte(address - 1), bench.byte(address + bytes)]).toEqual([0, 0])
    }
  })

  it("floating-point loads and stores are misaligned as well", () => {
    bench.load(
      `li a1, ${DATA + 0xffd}\nli a2, ${PATTERN}\nfmv.d.x fa0, a2\nfsd fa0, (a1)\nfld fa1, (a1)\nflw fa2, 1(a1)`,
    )
    bench.change({ mstatus: 0xa00002000n }).run()
    bench.expectEnd()
    expect(bench.f("fa1")).toBe(PATTERN)
    expect(bench.f("fa2")).toBe(0xffffffff00000000n | ((PATTERN >> 8n) & 0xffffffffn))
  })
})

describe("outside memory", () => {
  const END = RAM_BASE + (1 << 20)
  it.each([
    ["a load", "ld a0, (a1)", cause.loadAccessFault],
    ["a store", "sd a0, (a1)", cause.storeAccessFault],
    ["an LR", "lr.d a0, (a1)", cause.loadAccessFault],
    ["an SC", "sc.d a0, a2, (a1)", cause.storeAccessFault],
    ["an AMO", "amoadd.d a0, a2, (a1)", cause.storeAccessFault],
  ])("%s is an access fault with its address, and changes no register", (_, access, code) => {
    for (const address of [0n, BigInt(END), 0x1_0000_0000n, 0x1_8000_0000n, 2n ** 64n - 8n]) {
      bench.load(`li a0, 99\nli a1, ${address}\nat: ${access}`).run()
      expect(bench.trapped()).toEqual({ cause: code, value: address, pc: BigInt(bench.symbol("at")), interrupt: false })
      expect(bench.x("a0")).toBe(99n)
    }
  })

  it("a fetch is an access fault at its target", () => {
    bench.load("li a1, 0x40000000\njr a1").run()
    expect(bench.trapped()).toEqual({
      cause: cause.instructionAccessFault,
      value: 0x40000000n,
      pc: 0x40000000n,
      interrupt: false,
    })
  })

  it("running off the end of RAM is one too", () => {
    bench.load(`li a1, ${END - 4}\njr a1`)
    bench.placeProgram(END - 4, "nop")
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.instructionAccessFault, value: BigInt(END), pc: BigInt(END) })
  })

  it("a load across the end of RAM faults at the first byte that is not there", () => {
    bench.load(`li a1, ${END - 3}\nld a0, (a1)`).run()
    expect(bench.trapped()).toMatchObject({ cause: cause.loadAccessFault, value: BigInt(END) })
  })

  it("a store across the end of RAM writes nothing", () => {
    bench.load(`li a1, ${END - 3}\nli a0, -1\nsd a0, (a1)`).run()
    expect(bench.trapped()).toMatchObject({ cause: cause.storeAccessFault, value: BigInt(END) })
    expect(bench.byte(END - 3)).toBe(0)
  })
})

describe("devices", () => {
  interface Access {
    readonly address: number
    readonly bytes: number
    readonly value?: readonly [low: number, high: number]
    readonly executed: number
  }
  const made = () => {
    const log: Access[] = []
    const withDevices = new Bench({
      devices: {
        load: (machine, address, bytes) => {
          log.push({ address, bytes, executed: machine.core.executed(0) })
          if (address === 0x10000ff0) machine.core.refuseAccess()
          if (bytes === 8) machine.core.loadedHigh = 0x89abcdef
          return 0xfedcba98 | 0
        },
        store: (machine, address, bytes, low, high) => {
          log.push({ address, bytes, value: [low >>> 0, high >>> 0], executed: machine.core.executed(0) })
          if (address === 0x10000ff0) machine.core.refuseAccess()
        },
      },
    })
    return { withDevices, log }
  }

  it("get address, width and value; answers are extended", () => {
    const { withDevices, log } = made()
    withDevices.finish(`li a1, 0x10000000
      lb a2, 0(a1)
      lhu a3, 2(a1)
      lw a4, 4(a1)
      lwu a5, 4(a1)
      ld a6, 8(a1)
      sd a6, 16(a1)
      sb a2, 1(a1)`)
    expect(["a2", "a3", "a4", "a5", "a6"].map(name => withDevices.x(name))).toEqual([
      0xffffffffffffff98n,
      0xba98n,
      0xfffffffffedcba98n,
      0xfedcba98n,
      0x89abcdeffedcba98n,
    ]) // prettier-ignore
    expect(log.map(({ address, bytes }) => [address - 0x10000000, bytes])).toEqual([
      [0, 1],
      [2, 2],
      [4, 4],
      [4, 4],
      [8, 8],
      [16, 8],
      [1, 1],
    ]) // prettier-ignore
    expect(log[5]!.value).toEqual([0xfedcba98, 0x89abcdef])
  })

  it("see how many instructions came before", () => {
    const { withDevices, log } = made()
    withDevices.load("lui a1, 0x10000\nlw a2, (a1)\nnop\nnop\nsw a2, (a1)\nlw a2, (a1)")
    withDevices.run(100)
    withDevices.load("lui a1, 0x10000\nlw a2, (a1)\nnop\nnop\nsw a2, (a1)\nlw a2, (a1)")
    for (let step = 0; step < 20; step++) withDevices.run(1)
    expect(log.map(({ executed }) => executed)).toEqual([1, 4, 5, 1, 4, 5])
  })

  it("that are not there give an access fault", () => {
    const { withDevices } = made()
    for (const [access, code] of [
      ["lw a0, (a1)", cause.loadAccessFault],
      ["sw a0, (a1)", cause.storeAccessFault],
    ] as const) {
      withDevices.load(`li a1, 0x10000ff0\n${access}`).run()
      expect(withDevices.trapped()).toMatchObject({ cause: code, value: 0x10000ff0n })
    }
  })

  it.each(["lw a0, (a1)", "sw a0, (a1)"])("that are not there do not lengthen the run: %s", access => {
    const { withDevices } = made()
    const source = `li a1, 0x10000ff0\nla a2, handler\ncsrw mtvec, a2\n${access}\nhandler: addi a4, a4, 1\nj handler`
    withDevices.load(source)
    const before = (withDevices.symbol("handler") - RAM_BASE) / 4
    withDevices.run(before + 60)
    expect(withDevices.x("a4")).toBe(30n)
  })

  it("are not asked for misaligned accesses", () => {
    const { withDevices, log } = made()
    withDevices.load("li a1, 0x10000001\nlw a0, (a1)").run()
    expect(withDevices.trapped()).toMatchObject({ cause: cause.loadAccessFault, value: 0x10000001n })
    expect(log).toEqual([])
  })
})

describe("written pages", () => {
  const dirty = (): number[] => bench.core.takeDirtyPages()
  const page = (DATA - RAM_BASE) / 4096

  it.each([
    ["a store", "sd a2, (a1)", [page]],
    ["an aligned store after a load", "ld a0, (a1)\nsb a2, (a1)", [page]],
    ["a store across pages", "li a1, 0x80008ffd\nsd a2, (a1)", [page, page + 1]],
    ["an AMO", "amoadd.w a0, a2, (a1)", [page]],
    ["an SC that succeeds", "lr.w a0, (a1)\nsc.w a0, a2, (a1)", [page]],
    ["an SC that failed, as later stores are not seen", "sc.w a0, a2, (a1)", [page]],
    ["a store after an SC that failed", "sc.w a0, a2, (a1)\nsd a2, 64(a1)", [page]],
    ["a load", "ld a0, (a1)", []],
  ])("%s", (_, access, pages) => {
    bench.load(`li a1, ${DATA}\n${access}`)
    bench.core.takeDirtyPages()
    bench.run()
    bench.expectEnd()
    expect(dirty()).toEqual(pages)
  })

  const LINE = DATA + 5 * 64
  /** The lines written, counted from the page's first one, also beyond its end. */
  const lines = (): number[] => {
    const words = new Uint32Array(4)
    for (const order of [0, 1]) bench.core.takeWrittenLines(page + order, words, 2 * order)
    return Array.from({ length: 128 }, (_, line) => line).filter(line => (words[line >>> 5]! >>> (line & 31)) & 1)
  }

  it.each([
    ["a store", "sd a2, (a1)", [5]],
    ["a store by a translation that is known", "sb a2, 63(a1)\nsb a2, 64(a1)\nsw a2, 124(a1)", [5, 6]],
    ["a store across lines", "sd a2, 60(a1)", [5, 6]],
    ["a store across lines by a translation that is known", "sd a2, (a1)\nsd a2, 124(a1)", [5, 6, 7]],
    ["a store across pages", `li a5, ${DATA + 4096 - 3}\nsd a2, (a5)`, [63, 64]],
    ["an AMO", "amoadd.w a0, a2, (a1)", [5]],
    ["an AMO by a translation that is known", "amoadd.d a0, a2, (a1)\namoadd.w a0, a2, (a3)", [5, 8]],
    ["an SC that succeeds", "lr.w a0, (a1)\nsc.w a0, a2, (a1)", [5]],
    ["a floating-point store", "fsd fa0, 72(a1)", [6]],
    ["a load", "ld a0, (a1)", []],
  ])("are known by lines of 64 bytes: %s", (_, access, expected) => {
    bench.load(`li a1, ${LINE}\nli a3, ${DATA + 8 * 64}\nli a4, 0x6000\ncsrs mstatus, a4\nloop: ${access}\nj loop`)
    // From some round on it is translated.
    for (const instructions of [40, 400, 40]) {
      lines()
      bench.run(instructions)
      expect(lines()).toEqual(expected)
    }
    expect(lines()).toEqual([])
  })

  it("are counted anew after they were taken, by the same addresses too", () => {
    bench.load(`li a1, ${DATA}\nloop: sd a2, (a1)\nj loop`)
    bench.run(100)
    bench.core.takeDirtyPages()
    expect(dirty()).toEqual([])
    bench.run(100)
    expect(dirty()).toEqual([page])
  })
})
