import { describe, expect, it } from "vitest"
import { AssemblyError, assemble } from "../../src/riscv/assembler.ts"
import { disassemble } from "../../src/riscv/disassembler.ts"
import { instructions } from "../../src/riscv/table.ts"
import { Random } from "../oracle/random.ts"
import { randomWord } from "./operands.ts"

const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0")

/** The 32-bit words of a program of 4-byte instructions. */
const words = (source: string, origin?: number): string[] => {
  const { bytes } = assemble(source, origin)
  const view = new DataView(bytes.buffer)
  return Array.from({ length: bytes.length / 4 }, (_, position) => hex(view.getUint32(position * 4, true)))
}

const halves = (source: string): string[] => {
  const { bytes } = assemble(source)
  return Array.from(new Uint16Array(bytes.buffer), half => half.toString(16).padStart(4, "0"))
}

const mistake = (source: string): AssemblyError => {
  try {
    assemble(source)
  } catch (error) {
    if (error instanceof AssemblyError) return error
    throw error
  }
  throw new Error("it was assembled")
}

const PC = 0x80001000
const readBack = (text: string): number => {
  const { bytes } = assemble(text, PC)
  const view = new DataView(bytes.buffer)
  return bytes.length === 2 ? view.getUint16(0, true) : view.getInt32(0, true)
}

describe.each(instructions.map(instruction => [instruction.name, instruction] as const))("%s", (_, instruction) => {
  it.each([false, true])("comes back from its own text (aliases: %s)", aliases => {
    const random = new Random(instruction.mask)
    for (let round = 0; round < 100; round++) {
      const word = randomWord(instruction, random)
      const { text, length } = disassemble(word, BigInt(PC), { aliases })
      expect(length).toBe(instruction.length)
      // `fence` alone means both sets whole.
      expect(`${text}: ${hex(readBack(text))}`).toBe(`${text}: ${hex(word)}`)
    }
  })
})

describe("operands", () => {
  it("are registers by number or by ABI name", () => {
    expect(words("add x10, x11, x31\nadd a0, a1, t6\nadd s0, fp, x8\nfadd.d f0, ft1, f31")).toEqual([
      "01f58533",
      "01f58533",
      "00840433",
      "03f0f053",
    ]) // prettier-ignore
  })
  it("are addresses with and without a distance", () => {
    expect(words("ld a0, -8(sp)\nld a0, (sp)\nsd a0, 0x10 (sp)\nlr.w a0, (a1)\nlr.w a0, 0(a1)")).toEqual([
      "ff813503",
      "00013503",
      "00a13823",
      "1005a52f",
      "1005a52f",
    ]) // prettier-ignore
  })
  it("are CSRs by name or number", () => {
    expect(words("csrrw a0, mstatus, a1\ncsrrw a0, 0x300, a1\ncsrr a0, pmpaddr15\ncsrr a0, hpmcounter31")).toEqual([
      "30059573",
      "30059573",
      "3bf02573",
      "c1f02573",
    ]) // prettier-ignore
  })
  it("are rounding modes, dynamic when left out", () => {
    expect(words("fadd.s fa0, fa1, fa2\nfadd.s fa0, fa1, fa2, rtz\nfcvt.w.d a0, fa0, rup")).toEqual([
      "00c5f553",
      "00c59553",
      "c2053553",
    ]) // prettier-ignore
  })
  it("order atomics by a suffix", () => {
    expect(words("amoadd.w a0, a1, (a2)\namoadd.w.aq a0, a1, (a2)\nsc.d.rl a0, a1, (a2)\nlr.d.aqrl a0, (a2)")).toEqual([
      "00b6252f",
      "04b6252f",
      "1ab6352f",
      "1606352f",
    ]) // prettier-ignore
  })
  it("are the upper bits of lui and auipc, signed or not", () => {
    expect(words("lui a0, 0xfffff\nlui a0, -1\nauipc a0, 1")).toEqual(["fffff537", "fffff537", "00001517"])
  })
})

describe("labels", () => {
  it("are targets forward and back", () => {
    expect(words("top: beq a0, a1, end\nj top\nend: nop")).toEqual(["00b50463", "ffdff06f", "00000013"])
  })
  it("stand in sums and in data", () => {
    const { bytes, symbols, origin } = assemble("a: nop\nb: .dword b, b - a, a + 1, -1")
    expect(symbols.get("b")).toBe(origin + 4)
    expect([...new BigInt64Array(bytes.buffer.slice(4))]).toEqual([0x80000004n, 4n, 0x80000001n, -1n])
  })
  it("may follow each other on a line", () => {
    const { symbols } = assemble("nop\na: b: c: nop")
    expect([symbols.get("a"), symbols.get("c")]).toEqual([0x80000004, 0x80000004])
  })
})

describe("pseudo-instructions", () => {
  it.each([
    ["nop", "addi x0, x0, 0"],
    ["mv a0, a1", "addi a0, a1, 0"],
    ["not a0, a1", "xori a0, a1, -1"],
    ["neg a0, a1", "sub a0, x0, a1"],
    ["negw a0, a1", "subw a0, x0, a1"],
    ["sext.w a0, a1", "addiw a0, a1, 0"],
    ["zext.w a0, a1", "add.uw a0, a1, x0"],
    ["seqz a0, a1", "sltiu a0, a1, 1"],
    ["snez a0, a1", "sltu a0, x0, a1"],
    ["sltz a0, a1", "slt a0, a1, x0"],
    ["sgtz a0, a1", "slt a0, x0, a1"],
    ["x: beqz a0, x", "x: beq a0, x0, x"],
    ["x: bnez a0, x", "x: bne a0, x0, x"],
    ["x: blez a0, x", "x: bge x0, a0, x"],
    ["x: bgez a0, x", "x: bge a0, x0, x"],
    ["x: bltz a0, x", "x: blt a0, x0, x"],
    ["x: bgtz a0, x", "x: blt x0, a0, x"],
    ["x: bgt a0, a1, x", "x: blt a1, a0, x"],
    ["x: ble a0, a1, x", "x: bge a1, a0, x"],
    ["x: bgtu a0, a1, x", "x: bltu a1, a0, x"],
    ["x: bleu a0, a1, x", "x: bgeu a1, a0, x"],
    ["x: j x", "x: jal x0, x"],
    ["x: jal x", "x: jal ra, x"],
    ["jr a0", "jalr x0, 0(a0)"],
    ["jr 8(a0)", "jalr x0, 8(a0)"],
    ["jalr a0", "jalr ra, 0(a0)"],
    ["ret", "jalr x0, 0(ra)"],
    ["csrr a0, mepc", "csrrs a0, mepc, x0"],
    ["csrw mepc, a0", "csrrw x0, mepc, a0"],
    ["csrs mepc, a0", "csrrs x0, mepc, a0"],
    ["csrc mepc, a0", "csrrc x0, mepc, a0"],
    ["csrwi mie, 3", "csrrwi x0, mie, 3"],
    ["rdinstret a0", "csrrs a0, instret, x0"],
    ["fmv.d fa0, fa1", "fsgnj.d fa0, fa1, fa1"],
    ["fneg.s fa0, fa1", "fsgnjn.s fa0, fa1, fa1"],
    ["fabs.d fa0, fa1", "fsgnjx.d fa0, fa1, fa1"],
    ["fsrm a0", "csrrw x0, frm, a0"],
    ["sfence.vma", "sfence.vma x0, x0"],
    ["fence", "fence iorw, iorw"],
    ["x: call x", "x: auipc ra, 0\njalr ra, 0(ra)"],
    ["x: nop\ntail x", "x: nop\nauipc t1, 0\njalr x0, -4(t1)"],
    ["la a0, x\nx: nop", "auipc a0, 0\naddi a0, a0, 8\nx: nop"],
  ])("%s is %s", (short, long) => {
    expect(words(short)).toEqual(words(long))
  })

  it("la and call reach far over the edge of 12 bits", () => {
    expect(words("la a0, far\n.zero 0x7f8\nfar: nop").slice(0, 2)).toEqual(words("auipc a0, 1\naddi a0, a0, -2048"))
  })

  it("c.nop is a compressed one", () => {
    expect(halves("c.nop")).toEqual(["0001"])
  })
})

describe("li", () => {
  /** What the words of `li` compute. */
  const computed = (source: string): bigint => {
    let value = 0n
    for (const word of words(source)) {
      const [name, ...rest] = disassemble(Number.parseInt(word, 16), 0n, { aliases: false }).text.split(/[ ,]+/)
      const operand = BigInt(rest.at(-1)!)
      if (name === "lui") value = BigInt.asIntN(32, operand << 12n)
      else if (name === "addi") value = (rest[1] === "zero" ? 0n : value) + operand
      else if (name === "addiw") value = BigInt.asIntN(32, value + operand)
      else if (name === "slli") value <<= operand
      else throw new Error(`li made a ${name}`)
      value = BigInt.asIntN(64, value)
    }
    return value
  }
  const random = new Random(5)
  const interesting = [0n, 1n, -1n, 2047n, 2048n, -2048n, -2049n, 0x7ffff7ffn, 0x7fffffffn, -0x80000000n, 0x80000000n]
  const more = Array.from({ length: 300 }, (_, round) => BigInt.asIntN(64, random.uint64() >> BigInt(round % 64)))
  const edges = Array.from({ length: 64 }, (_, bit) => [
    1n << BigInt(bit),
    (1n << BigInt(bit)) - 1n,
    -(1n << BigInt(bit)),
  ]).flat()

  it("makes any 64-bit constant in at most eight instructions", () => {
    for (const value of [...interesting, ...more, ...edges]) {
      expect(words(`li a0, ${value}`).length).toBeLessThanOrEqual(8)
      expect(computed(`li a0, ${value}`)).toBe(BigInt.asIntN(64, value))
    }
  })
  it("takes what .equ defined", () => {
    expect(computed(".equ size, 0x1000\nli a0, size + 4")).toBe(0x1004n)
  })
})

describe("directives", () => {
  it("lay out data in little-endian order", () => {
    const { bytes } = assemble(".byte 1, -1\n.half 0x1234\n.word 0xdeadbeef\n.dword 0x0123456789abcdef")
    expect(Buffer.from(bytes).toString("hex")).toBe("01ff3412efbeaddeefcdab8967452301")
  })
  it("align and fill with zeros", () => {
    const { bytes, symbols } = assemble(".byte 1\n.align 3\na: .byte 2\n.zero 3\nb:")
    expect([symbols.get("a"), symbols.get("b"), bytes.length]).toEqual([0x80000008, 0x8000000c, 12])
  })
  it("leave comments out", () => {
    expect(words("nop # one\n// two\n  # three\nnop // four")).toHaveLength(2)
  })
})

describe("a mistake is reported with line and column", () => {
  it.each([
    ["an unknown mnemonic", "nop\n  frob a0", 2, 3, "there is no instruction frob"],
    ["an unknown register", "  ld a0, 8(b1)", 1, 10, '"b1" is no integer register'],
    ["a register of the other file", "fadd.s fa0, a1, fa2", 1, 13, '"a1" is no floating-point register'],
    ["an immediate too large", "addi a0, a1, 2048", 1, 14, "2048 cannot be the imm of addi"],
    ["a distance too large", "ld a0, 4096(a1)", 1, 8, "4096 cannot be the imm of ld"],
    ["an unaligned distance", "c.lw a0, 2(a1)", 1, 10, "2 cannot be the imm of c.lw"],
    ["a shift too long", "slliw a0, a1, 32", 1, 15, "32 cannot be the imm of slliw"],
    ["an odd target", "x: beq a0, a1, x + 1", 1, 16, "1 cannot be the imm of beq"],
    ["a target too far", "beq a0, a1, x\n.zero 4096\nx: nop", 1, 13, "4100 cannot be the imm of beq"],
    ["a reserved form", "c.addi16sp sp, 0", 1, 16, "0 cannot be the imm of c.addi16sp"],
    ["a register out of reach", "c.sub a0, t0", 1, 11, "5 cannot be the rs2 of c.sub"],
    ["an unknown symbol", "a: b: j nowhere", 1, 9, 'there is no symbol "nowhere"'],
    ["a symbol defined twice", "x: nop\nx: nop", 2, 1, '"x" is defined twice'],
    ["too few arguments", "add a0, a1", 1, 1, "these are not the arguments of add"],
    ["too many arguments", "ret a0", 1, 1, "these are not the arguments of ret"],
    ["an empty argument", "add a0, , a1", 1, 9, "an argument is missing here"],
    ["an unknown rounding mode", "fadd.s fa0, fa1, fa2, up", 1, 23, '"up" is no rounding mode'],
    ["an unknown directive", ".frob 1", 1, 1, ".frob is no directive of this assembler"],
    ["data that does not fit", ".byte 1, 256", 1, 10, "256 does not fit 1 bytes"],
    ["an upper immediate too large", "lui a0, 0x100000", 1, 9, "0x100000 does not fit lui"],
    ["a constant too large", "li a0, 0x10000000000000000", 1, 8, "18446744073709551616 does not fit 64 bits"],
    ["a sum that is none", "li a0, 1 * 2", 1, 8, '"1 * 2" is no number or symbol'],
    ["an offset where none can be", "lr.w a0, 8(a1)", 1, 10, "lr.w takes no offset"],
    ["an unknown CSR", "csrr a0, mfrob", 1, 10, 'there is no symbol "mfrob"'],
    ["unknown fence sets", "fence rw, wx", 1, 1, "these are not the arguments of fence"],
  ])("%s", (_, source, line, column, message) => {
    const error = mistake(source)
    expect([error.line, error.column]).toEqual([line, column])
    expect(error.message).toBe(`line ${line}, column ${column}: ${message}`)
  })
})
