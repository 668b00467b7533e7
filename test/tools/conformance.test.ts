import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { failureOf, readElfTest } from "../../tools/conformance/elf-test.ts"
import { elfFile } from "../machine/elf-file.ts"

const JUMP_TO_ITSELF = 0x0000006f
const WFI = 0x10500073

/** A test program that runs `words`; `tohost` is a page further. */
const program = (...words: readonly number[]): Uint8Array => {
  const data = new Uint8Array(Uint32Array.from(words).buffer)
  return elfFile({
    entry: 0x80000000n,
    segments: [{ virtual: 0x80000000n, physical: 0x80000000n, data, memorySize: 0x2000 }],
    symbols: [{ name: "tohost", value: 0x80001000n }],
  })
}

/** Writes `result` to `tohost` and stays there: auipc x5, 1; addi x6, x0, result; sd x6, 0(x5). */
const writing = (result: number): Uint8Array => program(0x00001297, (result << 20) | 0x313, 0x0062b023, JUMP_TO_ITSELF)

const failure = (bytes: Uint8Array): string | undefined => failureOf(readElfTest("rv64ui-p-made", bytes)!)

describe("a conformance test", () => {
  it("passes with a one in tohost", () => expect(failure(writing(1))).toBeUndefined())

  it("fails with the number of the test that failed", () => expect(failure(writing(2 * 21 + 1))).toBe("test 21 failed"))

  it("fails with a value that is no result", () =>
    expect(failure(writing(6))).toBe("wrote 0x6 to tohost, which is no result"))

  it("fails when nothing more can happen", () =>
    expect(failure(program(WFI, JUMP_TO_ITSELF))).toBe("waits for an interrupt that never comes"))

  it("fails when no result ever comes", () =>
    expect(failure(program(JUMP_TO_ITSELF))).toBe("gave no result in 50000000 instructions"))

  it("is an ELF file for RV64 with tohost, and nothing else", () => {
    expect(readElfTest("text", new TextEncoder().encode("no program"))).toBeUndefined()
    expect(readElfTest("other", elfFile({ machine: 62 }))).toBeUndefined()
    expect(readElfTest("without", elfFile({ entry: 0x80000000n }))).toBeUndefined()
  })
})

describe("npm run conformance", () => {
  let directory = ""
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "conformance-"))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const conformance = (...options: readonly string[]) => {
    const tool = join(import.meta.dirname, "../../tools/conformance.ts")
    const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...options], { encoding: "utf8" })
    return { status, stdout, stderr }
  }
  const folder = (name: string, files: Readonly<Record<string, Uint8Array>>): string => {
    const path = join(directory, name)
    mkdirSync(path)
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes)
    return path
  }

  it("counts by group and environment", () => {
    const path = folder("passing", {
      "rv64ui-p-add": writing(1),
      "rv64ui-v-add": writing(1),
      "rv64mi-p-csr": writing(1),
      "rv64ui-p-add.dump": new Uint8Array(4),
      "rv64uzfh-p-fadd": writing(3),
    })
    const { status, stdout } = conformance(path)
    expect(stdout).toMatch(/^rv64ui +1\/1 +1\/1$/m)
    expect(stdout).toMatch(/^rv64mi +1\/1 +-$/m)
    expect(stdout).toMatch(/^3 of 3 tests passed/m)
    expect(stdout).toMatch(/does not have: rv64uzfh \(1\)$/m)
    expect(status).toBe(0)
  })

  it("names what failed", () => {
    const { status, stdout } = conformance(
      folder("failing", { "rv64ui-p-add": writing(1), "rv64ui-p-sub": writing(7) }),
    )
    expect(stdout).toMatch(/^rv64ui-p-sub: test 3 failed$/m)
    expect(stdout).toMatch(/^rv64ui +1\/2 +-$/m)
    expect(status).toBe(1)
  })

  it.each([
    ["no directory", () => [], /^Name the one directory/],
    ["one that does not exist", () => [join(directory, "missing")], /is not a directory; name the one/],
    ["an empty one", () => [folder("empty", {})], /holds no built riscv-tests/],
  ] as const)("says in one sentence what to do about %s", (_, options, sentence) => {
    const { status, stderr } = conformance(...options())
    expect(stderr).toMatch(sentence)
    expect(stderr.trimEnd().split("\n")).toHaveLength(1)
    expect(status).toBe(2)
  })
})
