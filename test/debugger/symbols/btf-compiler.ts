/** BTF, and what it is to be compared with, made by the C compiler for RISC-V. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { elfSection, readElf } from "../../../src/machine/elf.ts"

const compiler = "riscv64-linux-gnu-gcc"

/** Why nothing can be compiled, or null. */
export const noCompiler: string | null =
  spawnSync(compiler, ["--version"]).status === 0
    ? null
    : `${compiler} is not installed; apt install gcc-riscv64-linux-gnu to compare with its BTF.`

interface Compiled {
  readonly btf: Uint8Array
  readonly numbers: readonly number[]
}

export const nothingCompiled: Compiled = { btf: new Uint8Array(0), numbers: [] }

/** Compiles C to the BTF of its types and the numbers in its section `.numbers`, which are unsigned longs. */
export const compileBtf = (source: string): Compiled => {
  const directory = mkdtempSync(join(tmpdir(), "cv-btf-"))
  try {
    const [input, output] = [join(directory, "types.c"), join(directory, "types.o")]
    writeFileSync(input, source)
    const { status, stderr } = spawnSync(compiler, ["-gbtf", "-c", input, "-o", output], { encoding: "utf8" })
    if (status !== 0) throw new Error(stderr)
    const elf = readElf(new Uint8Array(readFileSync(output)))
    if (!elf.ok) throw new Error(elf.problem.sentence)
    const [btf, numbers] = [".BTF", ".numbers"].map(name => elfSection(elf.file, name)?.slice())
    if (!btf || !numbers) throw new Error("the compiler left out a section")
    return { btf, numbers: [...new BigUint64Array(numbers.buffer)].map(Number) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
