import { describe, expect, it } from "vitest"
import { FileService, SYMBOL_FILE } from "../../../src/debugger/gdb/file-service.ts"
import { encodePacket, PacketReader } from "../../../src/debugger/gdb/packet.ts"
import { symbolFile } from "../../../src/debugger/gdb/symbol-file.ts"
import { Program } from "../../../src/debugger/symbols/program.ts"
import { type NamedAddress, noSymbols, type SymbolSource } from "../../../src/debugger/symbols/symbol-source.ts"
import { elfSymbols, readElf } from "../../../src/machine/elf.ts"

const sourceOf = (all: readonly NamedAddress[]): SymbolSource => ({ ...noSymbols, all })
const symbol = (name: string, address: bigint, kind: NamedAddress["kind"] = "function", size: bigint | null = 16n) => ({
  name,
  address,
  kind,
  size,
})

const kernel = [
  symbol("_start", 0xffffffff80000000n, "function", null),
  symbol("schedule", 0xffffffff80001000n),
  symbol("label", 0xffffffff80001004n, "other", null),
  symbol("größe", 0xffffffff80002000n),
  symbol("jiffies", 0xffffffff81000000n, "object", 8n),
  symbol("late_call", 0xffffffff82000000n),
  symbol("_end", 0xfffffffffffffff8n, "object", null),
]

const read = (bytes: Uint8Array) => {
  const result = readElf(bytes)
  if (!result.ok) throw new Error(result.problem.sentence)
  return result.file
}

/** Sections as the file has them. */
const sectionsOf = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const table = Number(view.getBigUint64(40, true))
  return read(bytes).sections.map(({ name, type }, order) => {
    const at = table + order * 64
    const [flags, address, size] = [8, 16, 32].map(offset => view.getBigUint64(at + offset, true))
    return { name, type, flags: Number(flags), address: address!, end: address! + size! }
  })
}

describe("a file of names", () => {
  it("has every name at its address", () => {
    const found = [...elfSymbols(read(symbolFile(sourceOf(kernel))!))]
    expect(found).toEqual(
      kernel.map(({ name, address, size }) =>
        expect.objectContaining({ name, value: address, size: Number(size ?? 0) }),
      ),
    )
  })

  it("has code and data in sections of memory that have nothing in the file", () => {
    const sections = sectionsOf(symbolFile(sourceOf(kernel))!).filter(({ type }) => type === 8)
    expect(sections.map(({ name, flags }) => [name, flags])).toEqual([
      [".text", 2 | 4],
      [".data.1", 2 | 1],
      [".text.2", 2 | 4],
      [".data.3", 2 | 1],
    ])
    for (const [order, { address, end }] of sections.entries()) {
      expect(end).toBeGreaterThan(address)
      expect(end).toBeLessThanOrEqual(sections[order + 1]?.address ?? (1n << 64n) - 1n)
    }
    for (const { address } of kernel)
      expect(sections.some(section => section.address <= address && address < section.end)).toBe(true)
  })

  it("is read back as the names it was made of", () => {
    const source = new Program(symbolFile(sourceOf(kernel))!)
    expect(source.all).toEqual(kernel)
    expect(source.find("schedule")).toEqual(kernel[1])
    expect(source.at(0xffffffff80001002n)?.symbol.name).toBe("schedule")
    expect(source.nearNames("shedule")).toContain("schedule")
  })

  it("mixes code and data where they are too mixed for sections", () => {
    const mixed = Array.from({ length: 3000 }, (_, at) =>
      symbol(`s${at}`, 0x1000n * BigInt(at), at % 2 ? "object" : "function"),
    )
    expect(sectionsOf(symbolFile(sourceOf(mixed))!).filter(({ type }) => type === 8)).toHaveLength(1)
  })

  it("is none without names", () => {
    expect(symbolFile(noSymbols)).toBeNull()
    expect(symbolFile(sourceOf([symbol("", 1n)]))).toBeNull()
  })
})

describe("files served", () => {
  const content = Uint8Array.from({ length: 70_000 }, (_, at) => at & 0xff)
  const name = Buffer.from(SYMBOL_FILE).toString("hex")
  /** An answer with what is binary in it as it is after a packet has carried it. */
  const answer = (files: FileService, operation: string, parameters: string): string => {
    const [received] = new PacketReader().take(encodePacket(files.serve(operation, parameters)))
    return received?.kind === "packet" ? received.payload : ""
  }

  it("are read in pieces to the end", () => {
    const files = new FileService(content)
    expect(files.serve("setfs", "0")).toBe("F0")
    expect(files.serve("open", `${name},0,0`)).toBe("F3")
    const parts: Buffer[] = []
    for (let at = 0; ; ) {
      const [, count, data] = /^F([\da-f]+);(.*)$/s.exec(answer(files, "pread", `3,ffffffff,${at.toString(16)}`))!
      if (count === "0") break
      const part = Buffer.from(data!, "latin1")
      expect(part.length).toBe(Number.parseInt(count!, 16))
      parts.push(part)
      at += part.length
    }
    expect(Buffer.concat(parts).equals(content)).toBe(true)
    const stat = Buffer.from(answer(files, "fstat", "3").slice("F40;".length), "latin1")
    expect(stat).toHaveLength(64)
    expect(stat.readBigUInt64BE(28)).toBe(70_000n)
    expect(files.serve("close", "3")).toBe("F0")
    expect(files.serve("pread", "3,10,0")).toBe("F-1,9")
  })

  it.each([
    ["open", `${Buffer.from("/etc/passwd").toString("hex")},0,0`, "F-1,2"],
    ["open", `${name},1,0`, "F-1,d"],
    ["open", "zz", "F-1,2"],
    ["open", "", "F-1,2"],
    ["pread", "3,1,0", "F-1,9"],
    ["pread", "", "F-1,16"],
    ["pread", "3,ffffffffffffffff,0", "F-1,16"],
    ["close", "-1", "F-1,9"],
    ["unlink", name, ""],
    ["pwrite", "3,0,x", ""],
  ])("%s:%s gives %j", (operation, parameters, expected) => {
    expect(new FileService(content).serve(operation, parameters)).toBe(expected)
  })

  it("do not run out of sight", () => {
    const files = new FileService(content)
    const answers = Array.from({ length: 100 }, () => files.serve("open", `${name},0,0`))
    expect(answers.at(-1)).toBe("F-1,18")
  })
})
