/** One instruction of an image as text: through the cross objdump where it knows it, else through the oracle's decoder. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decode } from "../../test/oracle/decode.ts"
import { CODE_BASE } from "./layout.ts"

export const disassemble = (image: Uint8Array, address: number): string => {
  const view = new DataView(image.buffer, image.byteOffset)
  const low = view.getUint16(address - CODE_BASE, true)
  const compressed = (low & 3) !== 3
  const word = compressed ? low : view.getUint32(address - CODE_BASE, true)
  const hexadecimal = word.toString(16).padStart(compressed ? 4 : 8, "0")
  const directory = mkdtempSync(join(tmpdir(), "disassemble-"))
  try {
    const path = join(directory, "instruction.bin")
    const length = compressed ? 2 : 4
    writeFileSync(path, image.subarray(address - CODE_BASE, address - CODE_BASE + length))
    const args = ["-D", "-b", "binary", "-m", "riscv:rv64", "-M", "numeric,no-aliases", path]
    const { stdout } = spawnSync("riscv64-linux-gnu-objdump", args, { encoding: "utf8" })
    const text = stdout?.match(/^\s*0:\s+[0-9a-f]+\s+(.*)$/m)?.[1] ?? ""
    if (text !== "" && !text.startsWith(".")) return `${hexadecimal}  ${text.replace(/\s+/g, " ")}`
    // A raw file does not tell objdump of the bit-manipulation extensions.
    const known = decode(word)
    if (known === undefined) return `${hexadecimal}  (illegal)`
    const { name, rd, rs1, rs2, immediate } = known
    return `${hexadecimal}  ${name} rd=x${rd} rs1=x${rs1} rs2=x${rs2} immediate=${immediate}`
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
