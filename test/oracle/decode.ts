/**
 * The oracle's decoder for RV64IMAFDC_Zicsr_Zifencei_Zba_Zbb_Zbs, from the listings of the RISC-V unprivileged specification.
 * Compressed instructions are expanded to the base instruction they stand for.
 */

type Layout = "R" | "R4" | "I" | "shift" | "S" | "B" | "U" | "J"

/** Immediates are sign-extended; for "csr" instructions `immediate` is the CSR number and `rs1` the small operand. */
export interface Instruction {
  readonly name: string
  readonly rd: number
  readonly rs1: number
  readonly rs2: number
  readonly rs3: number
  readonly immediate: bigint
  /** The rounding mode field, bits 14..12. */
  readonly rm: number
  readonly length: 2 | 4
}

interface Row {
  readonly name: string
  readonly layout: Layout
  readonly mask: number
  readonly match: number
}

const row = (name: string, layout: Layout, pattern: string): Row => {
  const bits = pattern.replaceAll(" ", "")
  if (bits.length !== 32) throw new Error(`The pattern of ${name} has ${bits.length} bits.`)
  const mask = Number.parseInt(bits.replace(/[01]/g, "x").replace(/\./g, "0").replaceAll("x", "1"), 2)
  const match = Number.parseInt(bits.replaceAll(".", "0"), 2)
  return { name, layout, mask, match }
}

const binary = (value: number, width: number): string => value.toString(2).padStart(width, "0")
const register = "....."

const rows: Row[] = []
const add = (name: string, layout: Layout, pattern: string): void => {
  rows.push(row(name, layout, pattern))
}
const registerRegister = (names: string, f7: string, f3: readonly number[], opcode = "0110011"): void => {
  names.split(" ").forEach((name, index) => {
    add(name, "R", `${f7} ${register} ${register} ${binary(f3[index]!, 3)} ${register} ${opcode}`)
  })
}
const immediate = (names: string, f3: readonly number[], opcode: string, layout: Layout = "I"): void => {
  names.split(" ").forEach((name, index) => {
    add(name, layout, `............ ${register} ${binary(f3[index]!, 3)} ${register} ${opcode}`)
  })
}

add("lui", "U", `.................... ${register} 0110111`)
add("auipc", "U", `.................... ${register} 0010111`)
add("jal", "J", `.................... ${register} 1101111`)
add("jalr", "I", `............ ${register} 000 ${register} 1100111`)
immediate("beq bne blt bge bltu bgeu", [0, 1, 4, 5, 6, 7], "1100011", "B")
immediate("lb lh lw ld lbu lhu lwu", [0, 1, 2, 3, 4, 5, 6], "0000011")
immediate("sb sh sw sd", [0, 1, 2, 3], "0100011", "S")
immediate("addi slti sltiu xori ori andi", [0, 2, 3, 4, 6, 7], "0010011")
immediate("addiw", [0], "0011011")
immediate("fence fence.i", [0, 1], "0001111")
immediate("csrrw csrrs csrrc csrrwi csrrsi csrrci", [1, 2, 3, 5, 6, 7], "1110011")
add("ecall", "I", "000000000000 00000 000 00000 1110011")
add("ebreak", "I", "000000000001 00000 000 00000 1110011")
add("mret", "I", "001100000010 00000 000 00000 1110011")
add("wfi", "I", "000100000101 00000 000 00000 1110011")
add("sfence.vma", "R", `0001001 ${register} ${register} 000 00000 1110011`)
const shift = (name: string, f6: string, f3: string): void =>
  add(name, "shift", `${f6} ...... ${register} ${f3} ${register} 0010011`)
shift("slli", "000000", "001")
shift("srli", "000000", "101")
shift("srai", "010000", "101")
shift("rori", "011000", "101")
shift("bclri", "010010", "001")
shift("bexti", "010010", "101")
shift("binvi", "011010", "001")
shift("bseti", "001010", "001")
add("slli.uw", "shift", `000010 ...... ${register} 001 ${register} 0011011`)
const shiftWord = (name: string, f7: string, f3: string): void =>
  add(name, "shift", `${f7} ..... ${register} ${f3} ${register} 0011011`)
shiftWord("slliw", "0000000", "001")
shiftWord("srliw", "0000000", "101")
shiftWord("sraiw", "0100000", "101")
shiftWord("roriw", "0110000", "101")
const unary = (name: string, selector: string, f3: string, opcode = "0010011"): void =>
  add(name, "R", `${selector} ${register} ${f3} ${register} ${opcode}`)
unary("clz", "011000000000", "001")
unary("ctz", "011000000001", "001")
unary("cpop", "011000000010", "001")
unary("sext.b", "011000000100", "001")
unary("sext.h", "011000000101", "001")
unary("orc.b", "001010000111", "101")
unary("rev8", "011010111000", "101")
unary("clzw", "011000000000", "001", "0011011")
unary("ctzw", "011000000001", "001", "0011011")
unary("cpopw", "011000000010", "001", "0011011")
unary("zext.h", "000010000000", "100", "0111011")
registerRegister("add sll slt sltu xor srl or and", "0000000", [0, 1, 2, 3, 4, 5, 6, 7])
registerRegister("sub xnor sra orn andn", "0100000", [0, 4, 5, 6, 7])
registerRegister("mul mulh mulhsu mulhu div divu rem remu", "0000001", [0, 1, 2, 3, 4, 5, 6, 7])
registerRegister("sh1add sh2add sh3add", "0010000", [2, 4, 6])
registerRegister("min minu max maxu", "0000101", [4, 5, 6, 7])
registerRegister("rol ror", "0110000", [1, 5])
registerRegister("bclr bext", "0100100", [1, 5])
registerRegister("binv", "0110100", [1])
registerRegister("bset", "0010100", [1])
registerRegister("addw sllw srlw", "0000000", [0, 1, 5], "0111011")
registerRegister("subw sraw", "0100000", [0, 5], "0111011")
registerRegister("mulw divw divuw remw remuw", "0000001", [0, 4, 5, 6, 7], "0111011")
registerRegister("add.uw", "0000100", [0], "0111011")
registerRegister("sh1add.uw sh2add.uw sh3add.uw", "0010000", [2, 4, 6], "0111011")
registerRegister("rolw rorw", "0110000", [1, 5], "0111011")
for (const [f3, width] of [
  ["010", "w"],
  ["011", "d"],
]) {
  add(`lr.${width}`, "R", `00010 .. 00000 ${register} ${f3} ${register} 0101111`)
  const functions = { sc: 3, amoswap: 1, amoadd: 0, amoxor: 4, amoand: 12, amoor: 8 }
  const comparing = { amomin: 16, amomax: 20, amominu: 24, amomaxu: 28 }
  for (const [name, f5] of Object.entries({ ...functions, ...comparing }))
    add(`${name}.${width}`, "R", `${binary(f5, 5)} .. ${register} ${register} ${f3} ${register} 0101111`)
}
immediate("flw fld", [2, 3], "0000111")
immediate("fsw fsd", [2, 3], "0100111", "S")
for (const [format, width, integerMove] of [
  ["00", "s", "w"],
  ["01", "d", "d"],
]) {
  const arithmetic = (name: string, f5: string, rs2 = register, f3 = "..."): void =>
    add(name, "R", `${f5} ${format} ${rs2} ${register} ${f3} ${register} 1010011`)
  arithmetic(`fadd.${width}`, "00000")
  arithmetic(`fsub.${width}`, "00001")
  arithmetic(`fmul.${width}`, "00010")
  arithmetic(`fdiv.${width}`, "00011")
  arithmetic(`fsqrt.${width}`, "01011", "00000")
  arithmetic(`fsgnj.${width}`, "00100", register, "000")
  arithmetic(`fsgnjn.${width}`, "00100", register, "001")
  arithmetic(`fsgnjx.${width}`, "00100", register, "010")
  arithmetic(`fmin.${width}`, "00101", register, "000")
  arithmetic(`fmax.${width}`, "00101", register, "001")
  arithmetic(`fle.${width}`, "10100", register, "000")
  arithmetic(`flt.${width}`, "10100", register, "001")
  arithmetic(`feq.${width}`, "10100", register, "010")
  arithmetic(`fclass.${width}`, "11100", "00000", "001")
  arithmetic(`fmv.x.${integerMove}`, "11100", "00000", "000")
  arithmetic(`fmv.${integerMove}.x`, "11110", "00000", "000")
  for (const [index, type] of ["w", "wu", "l", "lu"].entries()) {
    arithmetic(`fcvt.${type}.${width}`, "11000", binary(index, 5))
    arithmetic(`fcvt.${width}.${type}`, "11010", binary(index, 5))
  }
  for (const [name, opcode] of [
    ["fmadd", "1000011"],
    ["fmsub", "1000111"],
    ["fnmsub", "1001011"],
    ["fnmadd", "1001111"],
  ])
    add(`${name}.${width}`, "R4", `${register} ${format} ${register} ${register} ... ${register} ${opcode}`)
}
add("fcvt.s.d", "R", `0100000 00001 ${register} ... ${register} 1010011`)
add("fcvt.d.s", "R", `0100001 00000 ${register} ... ${register} 1010011`)

const byOpcode = Map.groupBy(rows, ({ match }) => match & 0x7f)

const field = (word: number, low: number, width: number): number => (word >>> low) & ((1 << width) - 1)
const signed = (value: number, width: number): bigint => BigInt.asIntN(width, BigInt(value))

/** Bits of a compressed instruction gathered into an immediate: `[from, to, count]` each. */
const gather = (word: number, ...parts: readonly (readonly [number, number, number])[]): number =>
  parts.reduce((value, [from, to, count]) => value | (field(word, from, count) << to), 0)

const immediateOf = (layout: Layout, word: number): bigint => {
  switch (layout) {
    case "I":
      return signed(field(word, 20, 12), 12)
    case "shift":
      return BigInt(field(word, 20, 6))
    case "S":
      return signed(gather(word, [25, 5, 7], [7, 0, 5]), 12)
    case "B":
      return signed(gather(word, [31, 12, 1], [7, 11, 1], [25, 5, 6], [8, 1, 4]), 13)
    case "U":
      return signed((word & 0xfffff000) >>> 0, 32)
    case "J":
      return signed(gather(word, [31, 20, 1], [12, 12, 8], [20, 11, 1], [21, 1, 10]), 21)
    default:
      return 0n
  }
}

const decodeFull = (word: number): Instruction | undefined => {
  const found = byOpcode.get(word & 0x7f)?.find(({ mask, match }) => (word & mask) >>> 0 === match)
  if (found === undefined) return undefined
  return {
    name: found.name,
    rd: field(word, 7, 5),
    rs1: field(word, 15, 5),
    rs2: field(word, 20, 5),
    rs3: field(word, 27, 5),
    immediate: found.name.startsWith("csr") ? BigInt(field(word, 20, 12)) : immediateOf(found.layout, word),
    rm: field(word, 12, 3),
    length: 4,
  }
}

/** What a compressed instruction stands for; undefined if reserved. Hints become what their expansion does: nothing. */
const decodeCompressed = (word: number): Instruction | undefined => {
  const make = (name: string, rd: number, rs1: number, rs2: number, immediate: number | bigint): Instruction => ({
    name,
    rd,
    rs1,
    rs2,
    rs3: 0,
    immediate: BigInt(immediate),
    rm: 0,
    length: 2,
  })
  const low = field(word, 2, 3) + 8
  const high = field(word, 7, 3) + 8
  const full = field(word, 7, 5)
  const second = field(word, 2, 5)
  const six = signed(gather(word, [12, 5, 1], [2, 0, 5]), 6)
  const amount = gather(word, [12, 5, 1], [2, 0, 5])
  const wordOffset = gather(word, [10, 3, 3], [6, 2, 1], [5, 6, 1])
  const doubleOffset = gather(word, [10, 3, 3], [5, 6, 2])
  const jump = signed(
    gather(word, [12, 11, 1], [11, 4, 1], [9, 8, 2], [8, 10, 1], [7, 6, 1], [6, 7, 1], [3, 1, 3], [2, 5, 1]),
    12,
  )
  const branch = signed(gather(word, [12, 8, 1], [10, 3, 2], [5, 6, 2], [3, 1, 2], [2, 5, 1]), 9)
  const loadWordSp = gather(word, [12, 5, 1], [4, 2, 3], [2, 6, 2])
  const loadDoubleSp = gather(word, [12, 5, 1], [5, 3, 2], [2, 6, 3])
  const storeWordSp = gather(word, [9, 2, 4], [7, 6, 2])
  const storeDoubleSp = gather(word, [10, 3, 3], [7, 6, 3])
  switch (((word & 3) << 3) | field(word, 13, 3)) {
    case 0o00: {
      const offset = gather(word, [11, 4, 2], [7, 6, 4], [6, 2, 1], [5, 3, 1])
      return offset === 0 ? undefined : make("addi", low, 2, 0, offset)
    }
    case 0o01:
      return make("fld", low, high, 0, doubleOffset)
    case 0o02:
      return make("lw", low, high, 0, wordOffset)
    case 0o03:
      return make("ld", low, high, 0, doubleOffset)
    case 0o05:
      return make("fsd", 0, high, low, doubleOffset)
    case 0o06:
      return make("sw", 0, high, low, wordOffset)
    case 0o07:
      return make("sd", 0, high, low, doubleOffset)
    case 0o10:
      return make("addi", full, full, 0, six)
    case 0o11:
      return full === 0 ? undefined : make("addiw", full, full, 0, six)
    case 0o12:
      return make("addi", full, 0, 0, six)
    case 0o13: {
      if (six === 0n) return undefined
      if (full !== 2) return make("lui", full, 0, 0, six << 12n)
      return make("addi", 2, 2, 0, signed(gather(word, [12, 9, 1], [6, 4, 1], [5, 6, 1], [3, 7, 2], [2, 5, 1]), 10))
    }
    case 0o14: {
      const group = field(word, 10, 2)
      if (group === 0) return make("srli", high, high, 0, amount)
      if (group === 1) return make("srai", high, high, 0, amount)
      if (group === 2) return make("andi", high, high, 0, six)
      const name = ["sub", "xor", "or", "and", "subw", "addw"][(field(word, 12, 1) << 2) | field(word, 5, 2)]
      return name === undefined ? undefined : make(name, high, high, low, 0)
    }
    case 0o15:
      return make("jal", 0, 0, 0, jump)
    case 0o16:
      return make("beq", 0, high, 0, branch)
    case 0o17:
      return make("bne", 0, high, 0, branch)
    case 0o20:
      return make("slli", full, full, 0, amount)
    case 0o21:
      return make("fld", full, 2, 0, loadDoubleSp)
    case 0o22:
      return full === 0 ? undefined : make("lw", full, 2, 0, loadWordSp)
    case 0o23:
      return full === 0 ? undefined : make("ld", full, 2, 0, loadDoubleSp)
    case 0o24: {
      const addForm = field(word, 12, 1) === 1
      if (second !== 0) return make("add", full, addForm ? full : 0, second, 0)
      if (full !== 0) return make("jalr", addForm ? 1 : 0, full, 0, 0)
      return addForm ? make("ebreak", 0, 0, 0, 0) : undefined
    }
    case 0o25:
      return make("fsd", 0, 2, second, storeDoubleSp)
    case 0o26:
      return make("sw", 0, 2, second, storeWordSp)
    case 0o27:
      return make("sd", 0, 2, second, storeDoubleSp)
    default:
      return undefined
  }
}

/** Decodes the instruction in the low bits of `word`; undefined for an illegal one. */
export const decode = (word: number): Instruction | undefined =>
  (word & 3) === 3 ? decodeFull(word) : decodeCompressed(word & 0xffff)
