import { describe, expect, it } from "vitest"
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionType,
  f32,
  f64,
  i32,
  i64,
  ModuleBuilder,
  type ValueType,
} from "../../src/wasm/index.ts"

type Compiled = (...args: (number | bigint)[]) => number | bigint

const instantiate = (module: ModuleBuilder, imports: Record<string, unknown> = {}) =>
  new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { host: imports }).exports as Record<
    string,
    Compiled
  >

/** One exported function, made and run by the host's own WebAssembly. */
const compile = (type: FunctionType, body: (f: FunctionBuilder) => void): Compiled => {
  const module = new ModuleBuilder()
  module.importMemory("host", "memory", 1)
  module.function("it", type, body, { exported: true })
  return instantiate(module, { memory: new WebAssembly.Memory({ initial: 1 }) }).it!
}

const ends = (f: FunctionBuilder, value: Expr) => {
  f.return(value)
  f.unreachable()
}

describe("constants", () => {
  const edges = [0n, 1n, -1n, 63n, 64n, -64n, -65n, 127n, 128n, 0x7fffffffn, 0x80000000n, 0xffffffffn, -0x80000000n]
  it.each([...edges, 2n ** 63n - 1n, -(2n ** 63n)])("%d of 64 bits", value => {
    expect(compile({ params: [], result: "i64" }, f => ends(f, i64.const(value)))()).toBe(value)
  })
  it.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 0x7fffffff, -0x80000000])("%d of 32 bits", value => {
    expect(compile({ params: [], result: "i32" }, f => ends(f, i32.const(value)))()).toBe(value)
  })
  it("wrap, so that unsigned forms may be written", () => {
    expect(i32.const(0xffffffff).constant).toBe(-1)
    expect(i64.const(0xffffffffffffffffn).constant).toBe(-1n)
  })
})

describe("integer operations", () => {
  const a = 0x8123456789abcdefn
  const signed = BigInt.asIntN(64, a)
  const unary: [string, (x: Expr<"i64">) => Expr<"i64">, bigint][] = [
    ["clz", i64.clz, 0n],
    ["ctz", i64.ctz, 0n],
    ["popcnt", i64.popcnt, 33n],
    ["extend8s", i64.extend8s, -17n],
    ["extend16s", i64.extend16s, BigInt.asIntN(16, a)],
    ["extend32s", i64.extend32s, BigInt.asIntN(32, a)],
    ["extend of wrap", x => i64.extend(i32.wrap(x)), BigInt.asIntN(32, a)],
    ["extendu of wrap", x => i64.extendu(i32.wrap(x)), BigInt.asUintN(32, a)],
  ]
  it.each(unary)("i64 %s", (_, apply, expected) => {
    const run = compile({ params: ["i64"], result: "i64" }, f => ends(f, apply(f.param(0, "i64"))))
    if (_ === "popcnt") expect(run(a)).toBe(BigInt([...a.toString(2)].filter(digit => digit === "1").length))
    else expect(run(a)).toBe(expected)
  })
  const binary: [string, (x: Expr<"i64">, y: Expr<"i64">) => Expr<"i64">, bigint][] = [
    ["add", i64.add, signed + 3n],
    ["sub", i64.sub, BigInt.asIntN(64, signed - 3n)],
    ["mul", i64.mul, BigInt.asIntN(64, signed * 3n)],
    ["divs", i64.divs, signed / 3n],
    ["divu", i64.divu, BigInt.asIntN(64, a / 3n)],
    ["rems", i64.rems, signed % 3n],
    ["remu", i64.remu, a % 3n],
    ["and", i64.and, 3n],
    ["or", i64.or, signed],
    ["xor", i64.xor, signed ^ 3n],
    ["shl", i64.shl, BigInt.asIntN(64, a << 3n)],
    ["shrs", i64.shrs, signed >> 3n],
    ["shru", i64.shru, a >> 3n],
    ["rotl", i64.rotl, BigInt.asIntN(64, (a << 3n) | (a >> 61n))],
    ["rotr", i64.rotr, BigInt.asIntN(64, (a >> 3n) | (a << 61n))],
  ]
  it.each(binary)("i64 %s", (_, apply, expected) => {
    const run = compile({ params: ["i64", "i64"], result: "i64" }, f =>
      ends(f, apply(f.param(0, "i64"), f.param(1, "i64"))),
    )
    expect(run(signed, 3n)).toBe(expected)
  })
  const comparisons = ["eq", "ne", "lts", "ltu", "gts", "gtu", "les", "leu", "ges", "geu"] as const
  it.each(comparisons)("%s of both widths", name => {
    const compare64 = compile({ params: ["i64", "i64"], result: "i32" }, f =>
      ends(f, i64[name](f.param(0, "i64"), f.param(1, "i64"))),
    )
    const compare32 = compile({ params: ["i32", "i32"], result: "i32" }, f =>
      ends(f, i32[name](f.param(0, "i32"), f.param(1, "i32"))),
    )
    for (const [x, y] of [
      [1, 1],
      [-1, 1],
      [1, -1],
      [-2, -1],
    ] as const) {
      const unsigned = name.endsWith("u")
      const [p, q] = unsigned ? [x >>> 0, y >>> 0] : [x, y]
      const expected = { eq: p === q, ne: p !== q, lt: p < q, gt: p > q, le: p <= q, ge: p >= q }[name.slice(0, 2)]
      expect([compare64(BigInt(x), BigInt(y)), compare32(x, y)]).toEqual([Number(expected), Number(expected)])
    }
  })
  it("select yields the first when the condition holds", () => {
    const run = compile({ params: ["i32"], result: "i64" }, f => ends(f, i64.select(7, 9, f.param(0, "i32"))))
    expect([run(1), run(2), run(0)]).toEqual([7n, 7n, 9n])
  })
})

describe("floating point", () => {
  it("moves bits and rounds to single", () => {
    const run = compile({ params: ["i64"], result: "i32" }, f => {
      ends(f, i32.bits(f32.demote(f64.add(f64.fromBits(f.param(0, "i64")), f64.fromI64s(1)))))
    })
    const bits = new BigInt64Array(new Float64Array([1.1]).buffer)[0]!
    expect(run(bits)).toBe(new Int32Array(new Float32Array([2.1]).buffer)[0])
  })
  it("saturates at the limits of 64 bits", () => {
    const run = compile({ params: ["i64"], result: "i64" }, f =>
      ends(f, i64.truncSatF64s(f64.fromBits(f.param(0, "i64")))),
    )
    const bits = (value: number) => new BigInt64Array(new Float64Array([value]).buffer)[0]!
    expect([run(bits(1e300)), run(bits(-1e300)), run(bits(-2.9))]).toEqual([2n ** 63n - 1n, -(2n ** 63n), -2n])
  })
})

describe("memory", () => {
  it("stores and loads each width", () => {
    const run = compile({ params: ["i64"], result: "i64" }, f => {
      const value = f.param(0, "i64")
      f.storeI64(8, value)
      f.storeI64As8(16, value, 1)
      f.storeI64As16(20, value)
      f.storeI64As32(24, value)
      f.storeI32(32, i32.load(8))
      f.storeI32As8(36, i32.load8u(8))
      f.storeI32As16(38, i32.load16s(8))
      const sum = [
        i64.load8s(17),
        i64.load8u(36),
        i64.load16s(20),
        i64.load16u(38),
        i64.load32s(24),
        i64.load32u(32),
        i64.load(0, 8),
      ]
      ends(
        f,
        sum.reduce((x, y) => i64.add(x, y)),
      )
    })
    const a = 0x8123456789abcdefn
    const parts = [
      BigInt.asIntN(8, a),
      BigInt.asUintN(8, a),
      BigInt.asIntN(16, a),
      BigInt.asUintN(16, a),
      BigInt.asIntN(32, a),
    ]
    const expected = parts.reduce((x, y) => x + y) + BigInt.asUintN(32, a) + a
    expect(run(BigInt.asIntN(64, a))).toBe(BigInt.asIntN(64, expected))
  })
  it("fills and copies", () => {
    const run = compile({ params: [], result: "i32" }, f => {
      f.memoryFill(100, 0x5a, 8)
      f.memoryCopy(202, 100, 4)
      ends(f, i32.load(200))
    })
    expect(run()).toBe(0x5a5a0000)
  })
})

describe("control", () => {
  it("a loop starts again at a branch to its label, a block ends at one", () => {
    const run = compile({ params: ["i32"], result: "i32" }, f => {
      const limit = f.param(0, "i32")
      const sum = f.local("i32")
      const at = f.local("i32")
      f.block(done => {
        f.loop(again => {
          f.brIf(done, i32.geu(at, limit))
          f.set(at, i32.add(at, 1))
          f.if(i32.and(at, 1), () => f.br(again))
          f.set(sum, i32.add(sum, at))
          f.br(again)
        })
      })
      ends(f, sum)
    })
    expect([run(0), run(10)]).toEqual([0, 30])
  })
  it("an if takes one side", () => {
    const run = compile({ params: ["i32"], result: "i32" }, f => {
      const result = f.local("i32")
      f.if(
        f.param(0, "i32"),
        () => f.set(result, 5),
        () => f.set(result, 6),
      )
      ends(f, result)
    })
    expect([run(1), run(0)]).toEqual([5, 6])
  })

  const switched = (cases: number, breaks: boolean) =>
    compile({ params: ["i32"], result: "i32" }, f => {
      const result = f.local("i32")
      const bodies = Array.from({ length: cases }, (_, number) => () => {
        f.set(result, i32.add(result, 10 + number))
        if (breaks) f.return(i32.add(result, 1000))
      })
      f.switch(f.param(0, "i32"), bodies, () => f.set(result, 99))
      ends(f, result)
    })

  it("a switch runs the case of its index and no other", () => {
    const run = switched(5, false)
    expect([0, 1, 2, 3, 4].map(index => run(index))).toEqual([10, 11, 12, 13, 14])
  })
  it("a switch takes the default beyond its cases, and for negative indices", () => {
    expect([5, 6, 1000, -1].map(index => switched(5, false)(index))).toEqual([99, 99, 99, 99])
    expect(switched(0, false)(0)).toBe(99)
  })
  it("a case may leave the function", () => {
    expect([0, 4, 5].map(index => switched(5, true)(index))).toEqual([1010, 1014, 99])
  })
  it("a large switch works: 700 cases", () => {
    const run = switched(700, false)
    expect([run(0), run(699), run(700)]).toEqual([10, 709, 99])
  })
  it("cases that are one function share a body", () => {
    let written = 0
    const run = compile({ params: ["i32"], result: "i32" }, f => {
      const result = f.local("i32")
      const shared = () => {
        written++
        f.set(result, 1)
      }
      const other = () => f.set(result, 2)
      f.switch(f.param(0, "i32"), [shared, other, shared, shared], shared)
      ends(f, result)
    })
    expect(written).toBe(1)
    expect([0, 1, 2, 3, 4].map(index => run(index))).toEqual([1, 2, 1, 1, 1])
  })
  it("a case may branch to a loop around the switch", () => {
    const run = compile({ params: ["i32"], result: "i32" }, f => {
      const left = f.param(0, "i32")
      const steps = f.local("i32")
      f.loop(again => {
        f.set(steps, i32.add(steps, 1))
        f.switch(
          left,
          [
            () => f.return(steps),
            () => {
              f.set(left, 0)
              f.br(again)
            },
          ],
          () => {
            f.set(left, i32.sub(left, 2))
            f.br(again)
          },
        )
      })
      f.unreachable()
    })
    expect([run(0), run(1), run(7)]).toEqual([1, 2, 5])
  })
  it("a branch to a label that is not around it is refused", () => {
    expect(() =>
      compile({ params: [], result: null }, f => {
        let inner: Parameters<FunctionBuilder["br"]>[0]
        f.block(outer =>
          f.block(label => {
            inner = label
            f.br(outer)
          }),
        )
        f.br(inner!)
      }),
    ).toThrow("not around it")
  })
})

describe("locals", () => {
  it("are zero at entry", () => {
    const run = compile({ params: [], result: "i64" }, f =>
      ends(f, i64.add(f.local("i64"), i64.extendu(f.local("i32")))),
    )
    expect(run()).toBe(0n)
  })
  it("are kept apart by type, in any order of making", () => {
    const run = compile({ params: ["i32"], result: "i64" }, f => {
      const types: ValueType[] = ["i64", "i32", "i64", "i64", "i32"]
      const made = types.map((type, position) =>
        f.let(type === "i64" ? i64.const(10 ** position) : i32.const(10 ** position)),
      )
      const wide = made.map(local => (local.type === "i64" ? (local as Expr<"i64">) : i64.extend(local as Expr<"i32">)))
      ends(
        f,
        wide.reduce((x, y) => i64.add(x, y)),
      )
    })
    expect(run(0)).toBe(11111n)
  })
  it("of a finished scope are used again, those of an open one are not", () => {
    compile({ params: [], result: null }, f => {
      let first = -1
      f.scope(() => {
        const outer = f.local("i32")
        first = outer.index
        f.scope(() => expect(f.local("i32").index).not.toBe(first))
      })
      f.scope(() => {
        const again = [f.local("i32").index, f.local("i32").index]
        expect(again).toContain(first)
        expect(again[0]).not.toBe(again[1])
      })
      expect(f.local("i32").index).not.toBe(first)
    })
  })
  it("of another type are not handed out", () => {
    compile({ params: [], result: null }, f => {
      f.scope(() => f.local("i32"))
      f.scope(() => expect(f.local("i64").type).toBe("i64"))
    })
  })
  it("a parameter of another type is refused", () => {
    expect(() => compile({ params: ["i32"], result: null }, f => f.param(0, "i64"))).toThrow("parameter 0 is not i64")
  })
})

describe("a module", () => {
  it("calls what is imported, what is defined and what is defined later", () => {
    const module = new ModuleBuilder()
    const twice = module.importFunction("host", "twice", { params: ["i32"], result: "i32" })
    const later = module.declare("later", { params: ["i32"], result: "i32" })
    module.function(
      "it",
      { params: ["i32"], result: "i32" },
      f => ends(f, callI32(later, callI32(twice, f.param(0, "i32")))),
      {
        exported: true,
      },
    )
    module.define(later, f => ends(f, i32.add(f.param(0, "i32"), 1)))
    expect(instantiate(module, { twice: (x: number) => x * 2 }).it!(20)).toBe(41)
  })
  it("jumps through its table without a deeper stack", () => {
    const module = new ModuleBuilder()
    const type: FunctionType = { params: ["i32"], result: "i32" }
    const down = module.declare("down", type, { exported: true })
    const table = module.functionTable([down])
    module.define(down, f => {
      const left = f.param(0, "i32")
      f.if(i32.eqz(left), () => f.return(i32.const(7)))
      f.returnCallIndirect(table, module.functionType(type), i32.const(0), i32.sub(left, 1))
    })
    expect(instantiate(module).down!(1_000_000)).toBe(7)
  })
  it("shares equal function types", () => {
    const module = new ModuleBuilder()
    const first = module.functionType({ params: ["i32"], result: null })
    expect(module.functionType({ params: ["i32"], result: null })).toEqual(first)
    expect(module.functionType({ params: ["i64"], result: null })).not.toEqual(first)
    expect(module.functionType({ params: ["i32"], result: "i32" })).not.toEqual(first)
  })
  it("refuses what would make it wrong", () => {
    const module = new ModuleBuilder()
    const made = module.function("f", { params: [], result: null }, f => f.drop(i32.const(1)))
    expect(() => module.importFunction("host", "g", { params: [], result: null })).toThrow("imports come before")
    expect(() => module.define(made, () => {})).toThrow("defined twice")
    expect(() => callI32(made)).toThrow("f gives no value")
    module.functionTable([made])
    expect(() => module.functionTable([made])).toThrow("one table")
    expect(() => new ModuleBuilder().define(made, () => {})).toThrow("not a function of this module")
  })
})
