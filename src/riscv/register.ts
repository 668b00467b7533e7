/** Register names of the calling convention. RISC-V psABI, section 1.1 and 1.2 (register convention). */

/** ABI names of x0 to x31. */
// biome-ignore format: rows of eight
export const integerRegisterNames: readonly string[] = [
  "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2",
  "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
  "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7",
  "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
]

/** ABI names of f0 to f31. */
// biome-ignore format: rows of eight
export const floatRegisterNames: readonly string[] = [
  "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7",
  "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5",
  "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",
  "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
]

const numbered = (names: readonly string[], letter: string): ReadonlyMap<string, number> =>
  new Map(names.flatMap((name, number) => [[name, number] as const, [`${letter}${number}`, number] as const]))

/** Numbers of integer registers by ABI name and by `x0` to `x31`; `fp` is another name of `s0`. */
export const integerRegisters: ReadonlyMap<string, number> = new Map([
  ...numbered(integerRegisterNames, "x"),
  ["fp", 8] as const,
])

/** Numbers of floating-point registers by ABI name and by `f0` to `f31`. */
export const floatRegisters: ReadonlyMap<string, number> = numbered(floatRegisterNames, "f")
