import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { ProgramUnusable } from "../../../src/debugger/symbols/errors.ts"
import { Program } from "../../../src/debugger/symbols/program.ts"
import { formatAddress } from "../../../src/debugger/symbols/symbol-source.ts"

const folder = join(import.meta.dirname, "../../../scenarios/guests")
const pathOf = (guest: string): string => join(folder, guest, `${guest}.elf`)
const bytesOf = (guest: string): Uint8Array => new Uint8Array(readFileSync(pathOf(guest)))
const race = new Program(bytesOf("race"))

/** Number of the line of a guest's source that has this text. */
const lineWith = (source: string, text: string): number =>
  readFileSync(join(folder, "race", source), "utf8")
    .split("\n")
    .findIndex(line => line.includes(text)) + 1

/** Symbols as binutils list them: no sections, files or marks of the toolchain. */
const listed = (guest: string): readonly (readonly [name: string, address: bigint])[] | null => {
  const { status, stdout } = spawnSync("riscv64-linux-gnu-nm", ["--numeric-sort", pathOf(guest)], { encoding: "utf8" })
  if (status !== 0) return null
  return stdout
    .trimEnd()
    .split("\n")
    .map(line => line.split(" "))
    .map(([address, , name]) => [name!, BigInt(`0x${address}`)] as const)
    .filter(([name]) => !name.startsWith("$"))
}

describe("the symbols of a program", () => {
  it.for(["hello", "embedded", "race"])("are those that binutils list of %s", (guest, { skip }) => {
    const wanted = listed(guest)
    if (wanted === null) return skip("riscv64-linux-gnu-nm is not installed")
    const inOrder = (list: readonly (readonly [string, bigint])[]) => list.map(([name, at]) => `${at} ${name}`).sort()
    const { all } = new Program(bytesOf(guest))
    expect(inOrder(all.map(({ name, address }) => [name, address]))).toEqual(inOrder(wanted))
    expect(all.every(({ address }, at) => at === 0 || all[at - 1]!.address <= address)).toBe(true)
  })

  it("are found by name", () => {
    expect(race.find("open_lock")).toMatchObject({ name: "open_lock", size: 4n, kind: "object" })
    expect(race.find("list_remove")).toMatchObject({ size: 10n, kind: "function" })
    expect(race.find("bss_end")).toMatchObject({ size: null, kind: "other" })
    expect(race.find("list_remov")).toBeNull()
    expect(race.nearNames("list_remov")).toContain("list_remove")
  })

  it("are found by an address in them, and nowhere else", () => {
    const { address, size } = race.find("list_remove")!
    expect(formatAddress(race, address)).toBe("list_remove")
    expect(formatAddress(race, address + size! - 1n)).toBe("list_remove+0x9")
    expect(race.at(address - 1n)?.symbol.name).not.toBe("list_remove")
    expect(race.at(0n)).toBeNull()
    expect(race.at(0x7fff_ffffn)).toBeNull()
  })

  it("lie elsewhere when the program does", () => {
    const { address } = race.find("list_remove")!
    for (const moved of [0x1000n, 0xffff_ffff_0000_0000n]) {
      const other = new Program(bytesOf("race"), moved)
      const there = BigInt.asUintN(64, address + moved)
      expect(other.find("list_remove")?.address).toBe(there)
      expect(other.all.find(({ name }) => name === "list_remove")?.address).toBe(there)
      expect(formatAddress(other, there + 4n)).toBe("list_remove+0x4")
      expect(other.lineAt(there)).toEqual(race.lineAt(address))
    }
  })

  it("are those of linked programs only", () => {
    expect(() => new Program(new Uint8Array(100))).toThrow(ProgramUnusable)
  })
})

describe("the lines of a program", () => {
  it("are named by the source's place in the project", () => {
    const { address } = race.find("list_remove")!
    expect(race.lineAt(address)).toMatchObject({
      file: "scenarios/guests/race/list.c",
      line: lineWith("list.c", "= link->next"),
    })
    expect(race.lineAt(race.find("trap")!.address)).toMatchObject({
      file: "scenarios/guests/race/entry.S",
      line: lineWith("entry.S", "addi    sp, sp, -256"),
    })
  })

  it("are not there for data, or without debug information", () => {
    expect(race.lineAt(race.find("open_jobs")!.address)).toBeNull()
    const hello = new Program(bytesOf("hello"))
    expect(hello.lineAt(hello.find("_start")!.address)).toBeNull()
  })
})
