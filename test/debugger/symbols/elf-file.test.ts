import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { ElfFile } from "../../../src/debugger/symbols/elf-file.ts"
import { ProgramUnusable } from "../../../src/debugger/symbols/errors.ts"
import { elfFile } from "../../machine/elf-file.ts"
import {
  buildGuest,
  buildLinuxProgram,
  copyOf,
  guestFile,
  hasCompiler,
  noCompiler,
  type Program,
  printed,
  temporaryPath,
} from "./guest.ts"

const hello = '#include <stdio.h>\nstatic __thread int tls;\nint main(void) { tls++; return puts("hello"); }\n'
const kinds: Readonly<Record<string, string>> = {
  NOTYPE: "other",
  OBJECT: "object",
  FUNC: "function",
  IFUNC: "function",
}

/** Symbols as readelf prints them, one line for each: name, address, size, kind, binding. */
function symbolsOfReadelf({ path }: Program, table: ".symtab" | ".dynsym"): string[] {
  const [, section] = printed("readelf", "-sW", path).split(`'${table}'`)
  return section!
    .split("\nSymbol table")[0]!
    .split("\n")
    .flatMap(text => {
      const [, value, size, type, bind, , index, name] = text.trim().split(/\s+/)
      const kind = kinds[type ?? ""]
      if (kind === undefined || index === "UND" || name === undefined || /^(\.L|\$[xd])/.test(name)) return []
      return [`${name.split("@")[0]} ${BigInt(`0x${value}`)} ${BigInt(size!)} ${kind} ${bind !== "LOCAL"}`]
    })
}

const symbolsOf = (file: ElfFile): string[] =>
  file.symbols.map(({ name, address, size, kind, isGlobal }) => `${name} ${address} ${size} ${kind} ${isGlobal}`)

describe.skipIf(!hasCompiler)(`a program's file (${hasCompiler ? "compiled here" : noCompiler})`, () => {
  it.for([
    ["a bare-metal one", () => buildGuest("-g", "-O2"), false, ".symtab"],
    ["a static one for Linux", () => buildLinuxProgram(hello, "-static"), false, ".symtab"],
    ["one that is loaded anywhere", () => buildLinuxProgram(hello, "-pie"), true, ".symtab"],
    ["one without symbols", () => copyOf(buildLinuxProgram(hello, "-pie"), "--strip-all"), true, ".dynsym"],
  ] as const)("%s has the symbols that readelf prints", ([, build, isPositionIndependent, table]) => {
    const program = build()
    const file = new ElfFile(program.bytes)
    const expected = symbolsOfReadelf(program, table)
    expect(expected.length).toBeGreaterThan(0)
    expect(symbolsOf(file)).toEqual(expected)
    expect(file.isPositionIndependent).toBe(isPositionIndependent)
    expect(printed("readelf", "-h", program.path)).toContain(`0x${file.entry.toString(16)}\n`)
  })

  it("says what lies at an address", () => {
    const file = new ElfFile(buildGuest("-g", "-O2").bytes)
    const nameAt = (address: bigint) => file.symbolAt(address)?.name
    const [main] = file.symbolsNamed("main")
    expect([0n, 1n, main!.size - 1n].map(offset => nameAt(main!.address + offset))).toEqual(["main", "main", "main"])
    expect(nameAt(file.symbolsNamed("shapes")[0]!.address + 100n)).toBe("shapes")
    const [label] = file.symbolsNamed("next_letter")
    expect(label).toMatchObject({ size: 0n, kind: "other", isGlobal: false })
    expect(nameAt(label!.address + 4n)).toBe("next_letter")
    expect(file.symbolAt(0n)).toBeNull()
    expect(file.sectionAt(main!.address)).toMatchObject({ name: ".text", isCode: true })
    expect(file.sectionAt(file.symbolsNamed("sink")[0]!.address)).toMatchObject({ name: ".bss", isCode: false })
    expect(file.variantsNamed("swapped").map(({ name }) => name)).toEqual([expect.stringMatching(/^swapped/)])
  })

  it("has sections that are compressed", () => {
    const program = buildGuest("-g", "-O2")
    const plain = new ElfFile(program.bytes)
    for (const kind of ["zlib", "zstd"]) {
      const copy = copyOf(program, `--compress-debug-sections=${kind}`)
      expect(copy.bytes.length).toBeLessThan(program.bytes.length)
      for (const name of [".debug_info", ".debug_line", ".debug_loclists"]) {
        const { bytes } = new ElfFile(copy.bytes).section(name)
        expect(Buffer.compare(bytes, plain.section(name).bytes), `${kind} ${name}`).toBe(0)
      }
    }
  })

  it("that is not linked is refused", () => {
    const path = temporaryPath("shapes.o")
    execFileSync("riscv64-linux-gnu-gcc", ["-c", guestFile("shapes.c"), "-o", path])
    expect(() => new ElfFile(readFileSync(path))).toThrow(/^The file is no linked program; link it first/)
  })
})

describe("a file that is no program for this machine", () => {
  it.each([
    ["nothing", new Uint8Array(0), /^The file is no ELF program; give/],
    ["text", new TextEncoder().encode("#!/bin/sh\nexit\n"), /^The file is no ELF program; give/],
    ["a magic number only", elfFile().subarray(0, 16), /^The file is truncated: .*; copy or build it again\.$/],
    [
      "another architecture",
      elfFile({ machine: 62 }),
      /^The file is built for x86-64; a RISC-V \(riscv64\) one is needed\.$/,
    ],
    ["32 bits", elfFile({ elfClass: 1 }), /^The file is 32-bit RISC-V; a 64-bit/],
    ["the other byte order", elfFile({ byteOrder: 2 }), /^The file is big-endian RISC-V; a little-endian/],
  ])("%s", (_, bytes, message) => {
    expect(() => new ElfFile(bytes)).toThrow(ProgramUnusable)
    expect(() => new ElfFile(bytes)).toThrow(message)
  })
})
