import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { disassemble } from "../../src/riscv/disassembler.ts"
import type { Instruction } from "../../src/riscv/instruction.ts"
import { instructions } from "../../src/riscv/table.ts"
import { Random } from "../oracle/random.ts"
import { randomWord } from "./operands.ts"

const text = (word: number, pc = 0x80000000n) => disassemble(word, pc).text

describe("what a reader of disassembly expects", () => {
  it.each([
    [0x00000013, "nop"],
    [0x00500513, "li a0, 5"],
    [0x00058513, "mv a0, a1"],
    [0x00008067, "ret"],
    [0x00050067, "jr a0"],
    [0x00858067, "jr 8(a1)"],
    [0x000500e7, "jalr a0"],
    [0xfe051ee3, "bnez a0, 0x7ffffffc"],
    [0x00b50463, "beq a0, a1, 0x80000008"],
    [0x0080006f, "j 0x80000008"],
    [0x008000ef, "jal 0x80000008"],
    [0x12345537, "lui a0, 0x12345"],
    [0xfffff517, "auipc a0, 0xfffff"],
    [0xff813503, "ld a0, -8(sp)"],
    [0x00a13823, "sd a0, 16(sp)"],
    [0x30002573, "csrr a0, mstatus"],
    [0x34011173, "csrrw sp, mscratch, sp"],
    [0x7c002573, "csrr a0, 0x7c0"],
    [0xc0202573, "rdinstret a0"],
    [0x0006051b, "sext.w a0, a2"],
    [0x00153513, "seqz a0, a0"],
    [0xfff54513, "not a0, a0"],
    [0x40a00533, "neg a0, a0"],
    [0x0ff0000f, "fence"],
    [0x0330000f, "fence rw, rw"],
    [0x8330000f, "fence.tso"],
    [0x0000100f, "fence.i"],
    [0x06b6252f, "amoadd.w.aqrl a0, a1, (a2)"],
    [0x00c59553, "fadd.s fa0, fa1, fa2, rtz"],
    [0x00c5f553, "fadd.s fa0, fa1, fa2"],
    [0x00c5d553, "fadd.s fa0, fa1, fa2, 5"],
    [0x22b58553, "fmv.d fa0, fa1"],
    [0x12000073, "sfence.vma"],
    [0x30200073, "mret"],
    [0x8082, "c.jr ra"],
    [0x0001, "c.nop"],
    [0x1141, "c.addi sp, -16"],
    [0x4501, "c.li a0, 0"],
    [0x0800, "c.addi4spn s0, sp, 16"],
    [0x7139, "c.addi16sp sp, -64"],
    [0x0000, ".half 0x0000"],
    [0xffffffff, ".word 0xffffffff"],
  ])("%#x: %s", (word, expected) => {
    expect(text(word)).toBe(expected)
  })

  it("takes a 16-bit instruction from the low half of what was read", () => {
    expect(disassemble(0xffff8082, 0n)).toEqual({ text: "c.jr ra", length: 2 })
  })

  it("shows targets in the upper half of the address space", () => {
    expect(text(0xfe051ee3, 0xffffffff80000000n)).toBe("bnez a0, 0xffffffff7ffffffc")
    expect(text(0xfe051ee3, 0n)).toBe("bnez a0, 0xfffffffffffffffc")
  })

  it("shows instructions as they are when asked to", () => {
    expect(disassemble(0x00008067, 0n, { aliases: false }).text).toBe("jalr zero, 0(ra)")
  })
})

const assembler = "riscv64-linux-gnu-as"
const objdump = "riscv64-linux-gnu-objdump"
const present = [assembler, objdump].every(tool => spawnSync(tool, ["--version"]).status === 0)
if (!present) console.info(`The comparison with ${objdump} is left out: the tool is not installed.`)

/** What objdump makes of these words, one after another from address 0. */
const objdumpLines = (words: readonly { word: number; length: 2 | 4 }[], options: readonly string[]): string[] => {
  const folder = mkdtempSync(join(tmpdir(), "disassembly-"))
  try {
    const source = words.map(({ word, length }) => `.insn ${length}, 0x${(word >>> 0).toString(16)}\n`).join("")
    writeFileSync(join(folder, "words.s"), source)
    const march = "-march=rv64imafdc_zicsr_zifencei_zba_zbb_zbs_zicbom"
    const assembled = spawnSync(assembler, [march, "-o", join(folder, "words.o"), join(folder, "words.s")])
    if (assembled.status !== 0) throw new Error(String(assembled.stderr))
    const dump = spawnSync(objdump, ["-d", ...options, join(folder, "words.o")], { maxBuffer: 1 << 26 })
    const lines = String(dump.stdout).matchAll(/^ *[\da-f]+:\t[\da-f ]+\t(.*)$/gm)
    return Array.from(lines, line => line[1]!)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Mnemonics that objdump, with aliases, shows without the `i` that says "immediate". */
const immediates: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "csrrw",
    "csrrs",
    "csrrc",
    "csrw",
    "csrs",
    "csrc",
    "fsrm",
    "fsflags",
    "add",
    "xor",
    "or",
    "and",
    "sll",
    "srl",
    "sra",
    "slt",
    "ror",
    "bclr",
    "bext",
    "binv",
    "bset",
  ]
    .map(name => [name, `${name}i`])
    .concat(["add", "sll", "srl", "sra", "ror"].map(name => [`${name}w`, `${name}iw`]))
    .concat([
      ["sltu", "sltiu"],
      ["sll.uw", "slli.uw"],
    ]),
)

/** One spelling for both: no comments and symbols, numbers in decimal, one blank. */
const normal = (line: string): string =>
  line
    .replace(/\s*[#<].*$/, "")
    .replace(/\b0x[\da-f]+\b/g, digits => String(BigInt(digits)))
    .replace(/\s+/, " ")
    .replaceAll(", ", ",")
    .replace(/^(c\.s[lr][la]i)64 (\w+)$/, "$1 $2,0")
    .replace(/^([\w.]+)( .*,-?\d+)$/, (whole, name, rest) => (name in immediates ? immediates[name] + rest : whole))
    .trim()

describe.skipIf(!present)("the same as objdump", () => {
  const random = new Random(1)
  const anyWord = (instruction: Instruction): number => {
    const word = randomWord(instruction, random)
    // A fence over nothing has no name there, a conversion that cannot round knows no rounding mode.
    if (instruction.name === "fence") return word | (random.between(1, 15) << 24) | (random.between(1, 15) << 20)
    return ["fcvt.d.w", "fcvt.d.wu", "fcvt.d.s"].includes(instruction.name) ? word & ~0x7000 : word
  }
  const words = instructions.flatMap(instruction => {
    const hasTarget = instruction.format.operands.some(({ target }) => target)
    return Array.from({ length: 40 }, () => ({
      word: anyWord(instruction),
      length: instruction.length,
      hasTarget,
    }))
  })
  const compare = (aliases: boolean, chosen: typeof words) => {
    const theirs = objdumpLines(chosen, aliases ? [] : ["-M", "no-aliases"])
    expect(theirs).toHaveLength(chosen.length)
    let at = 0
    const differences = chosen.flatMap(({ word, length, hasTarget }, position) => {
      const ours = normal(disassemble(word, BigInt(at), { aliases }).text)
      // objdump writes targets in hexadecimal with nothing before them.
      const line = theirs[position]!
      const other = normal(hasTarget ? line.replace(/\b([\da-f]+)( <.*)?$/, "0x$1") : line)
      at += length
      return ours === other ? [] : [`${(word >>> 0).toString(16)}: ${ours} | ${other}`]
    })
    expect(differences).toEqual([])
  }

  it("for every instruction, without aliases", () => {
    compare(false, words)
  })

  it("for every uncompressed instruction, with aliases", () => {
    compare(
      true,
      words.filter(({ length }) => length === 4),
    )
  })
})
