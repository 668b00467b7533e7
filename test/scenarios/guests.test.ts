import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { afterAll, describe, expect, it } from "vitest"
import type { QemuOptions } from "../../tools/guests.ts"
import {
  check,
  compile,
  type Guest,
  guests,
  installedQemu,
  installedTools,
  programPath,
  qemuCommand,
  readBuildRecord,
} from "../../tools/guests.ts"
import { expectedChecks, expectedSummary } from "./embedded-oracle.ts"

const sectorSize = 512
const directory = mkdtempSync(join(tmpdir(), "guests-"))
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(guests)("the committed guest %s", guest => {
  const program = readFileSync(programPath(guest))
  const view = new DataView(program.buffer, program.byteOffset, program.length)

  it("is a small RISC-V program that starts at the beginning of RAM", () => {
    expect(program.length).toBeLessThan(65536)
    expect(view.getUint32(0)).toBe(0x7f454c46)
    expect(program[4]).toBe(2) // 64 bits
    expect(view.getUint16(18, true)).toBe(243) // EM_RISCV
    expect(view.getBigUint64(24, true)).toBe(0x80000000n)
  })

  it("keeps its symbols, but no trace of where or when it was built", () => {
    const text = program.toString("latin1")
    expect(text).toContain("_start")
    expect(text).not.toMatch(/\/(tmp|home|root|usr|work)\/|GCC:|20\d\d-\d\d-\d\d/)
    expect(text).not.toMatch(/cc\w{6}\.o/)
  })

  it("is what its sources give", { timeout: 60_000 }, ({ skip }) => {
    expect(readBuildRecord(guest).bytes).toBe(program.length)
    const result = check(guest)
    if (result.kind === "skipped" || result.kind === "other-tools") skip(result.why)
    expect(result).toEqual({ kind: "same" })
  })
})

describe.skipIf(installedTools() === undefined)("building", () => {
  it("gives the same bytes each time", { timeout: 60_000 }, () => {
    expect(compile("hello").equals(compile("hello"))).toBe(true)
  })
})

describe.skipIf(installedQemu() === undefined)("on QEMU", { timeout: 60_000 }, () => {
  const run = (guest: Guest, options: QemuOptions, input = "") => {
    const [program, ...arguments_] = qemuCommand(guest, options)
    const { status, stdout } = spawnSync(program, arguments_, { input, encoding: "utf8", timeout: 50_000 })
    return { status, lines: stdout.replaceAll("\r", "").split("\n") }
  }

  const disk = (name: string, contents = Buffer.alloc(64 * sectorSize)): string => {
    const path = join(directory, name)
    writeFileSync(path, contents)
    return path
  }

  const journal = (lines: readonly string[]) => lines.filter(line => line.startsWith("journal:"))

  it("hello says so and switches off", () => {
    expect(run("hello", { harts: 2 })).toEqual({ status: 0, lines: ["Hello from RV64.", ""] })
  })

  it("race does all its jobs when it is fixed, in whatever order two threads do them", () => {
    const { status, lines } = run("race", { harts: 2, append: "quiet fixed" })
    expect(lines[0]).toBe("race: a desk and a worker, fixed")
    expect(lines.slice(-2)).toEqual(["race: done, sum ab95313327d187a2, 0 jobs open", ""])
    expect(status).toBe(0)
  })

  it.each([1, 2, 3, 4, 8])("embedded computes what it should on %i harts", harts => {
    const { status, lines } = run("embedded", { harts, append: "auto" })
    expect(lines).toEqual([
      "",
      "Chronovisor's embedded guest",
      `harts: ${harts} awake`,
      "boot arguments: auto",
      "entropy: no device",
      "disk: none, so no journal",
      ...expectedSummary(),
      "autoquit: bye",
      "",
    ])
    expect(status).toBe(0)
  })

  it("embedded ends with status 1 when a result is not what it should be", () => {
    const program = readFileSync(programPath("embedded"))
    const expected = Buffer.alloc(4)
    expected.writeUInt32LE(expectedChecks()[2]!.crc)
    const at = program.indexOf(expected)
    expect(at).toBeGreaterThan(0)
    program[at]! ^= 1
    const path = join(directory, "wrong.elf")
    writeFileSync(path, program)
    const { status, lines } = run("embedded", { program: path })
    expect(status).toBe(1)
    expect(lines.filter(line => line.endsWith("WRONG"))).toEqual([expect.stringMatching(/^check: orbit, /)])
    expect(lines.at(-2)).toMatch(/^summary: 5 of 6 checks ok, /)
  })

  it("embedded takes bytes from an entropy device", () => {
    const checksums = [1, 2].map(
      () =>
        run("embedded", { entropy: true, append: "auto" }).lines.find(line => line.startsWith("entropy: 16 bytes"))!,
    )
    expect(checksums[0]).toMatch(/^entropy: 16 bytes, crc32 [0-9a-f]{8}$/)
    expect(checksums[1]).not.toBe(checksums[0])
  })

  it("embedded keeps its journal from boot to boot", () => {
    const path = disk("kept")
    const long = "x".repeat(700)
    const first = run("embedded", { disk: path }, `add one\nadd ${long}\nhelp\nlisr\x7ft\ncrash\nquit\n`)
    expect(first.status).toBe(0)
    const prompt = first.lines.findIndex(line => line.startsWith("journal> "))
    expect(first.lines.slice(prompt)).toEqual([
      "journal> add one",
      "journal: wrote record 2",
      `journal> add ${long}`,
      "journal: wrote record 3",
      "journal> help",
      "commands: add TEXT, list, stat, crash, quit",
      "journal> lisr\b \bt",
      "1 boot: boot on 4 harts",
      "2 note: one",
      `3 note: ${long}`,
      "journal> crash",
      expect.stringMatching(/^crash: store access fault, pc [0-9a-f]{16}, address 0000000000000000, caught$/),
      "journal: wrote record 4",
      "journal> quit",
      "bye",
      "",
    ])

    const second = run("embedded", { harts: 2, disk: path }, "list\nstat\nquit\n")
    expect(journal(second.lines)).toEqual([
      "journal: 4 valid records, 0 torn",
      expect.stringMatching(/^journal: 1 boots, 2 notes, 1 crashes, digest [0-9a-f]{8}$/),
      "journal: wrote record 5",
      expect.stringMatching(/^journal: 2 boots, 2 notes, 1 crashes, digest [0-9a-f]{8}$/),
    ])
    expect(second.lines).toContain("4 crash: store access fault")
    expect(second.lines).toContain("5 boot: boot on 2 harts")
    const jobs = second.lines.map(line => /^hart \d: (\d+) jobs, /.exec(line)?.[1]).filter(found => found !== undefined)
    expect(jobs).toHaveLength(2)
    expect(jobs.reduce((sum, count) => sum + Number(count), 0)).toBe(48)
  })

  it("embedded drops a record that was cut off, and only that", () => {
    const path = disk("torn")
    const long = "y".repeat(900)
    run("embedded", { disk: path }, `add stays\nadd ${long}\nquit\n`)
    const contents = readFileSync(path)
    expect(contents.readUInt32LE(4 + sectorSize * 3)).toBe(
      crc32(contents.subarray(sectorSize * 3 + 8, sectorSize * 3 + 24 + 900)),
    )
    contents.fill(0, sectorSize * 4, sectorSize * 5) // the second sector of record 3 never reached the disk
    writeFileSync(path, contents)
    const second = run("embedded", { disk: path }, "list\nquit\n")
    expect(journal(second.lines)).toEqual([
      "journal: 2 valid records, 1 torn",
      "journal: dropped record 3, it was cut off",
      expect.stringMatching(/^journal: 1 boots, 1 notes, 0 crashes, digest/),
      "journal: wrote record 3",
    ])
    expect(second.lines.slice(-7)).toEqual([
      "journal> list",
      "1 boot: boot on 4 harts",
      "2 note: stays",
      "3 boot: boot on 4 harts",
      "journal> quit",
      "bye",
      "",
    ])
  })

  it("embedded writes nothing to a disk that holds something else", () => {
    const foreign = Buffer.alloc(64 * sectorSize, "something else ")
    const path = disk("foreign", foreign)
    const { lines } = run("embedded", { disk: path }, "add lost\nlist\nquit\n")
    expect(journal(lines)).toEqual([
      "journal: the disk holds something else, left alone",
      "journal: none, nothing written",
      "journal: none",
    ])
    expect(readFileSync(path).equals(foreign)).toBe(true)
  })

  it("embedded says so when the disk is full", () => {
    const path = disk("full", Buffer.alloc(3 * sectorSize))
    const { status, lines } = run("embedded", { disk: path }, "add fits\nadd does not\nquit\n")
    expect(status).toBe(0)
    expect(journal(lines).slice(-2)).toEqual(["journal: wrote record 2", "journal: full, nothing written"])
  })

  it('embedded leaves by itself when the disk says "auto"', () => {
    const contents = Buffer.alloc(64 * sectorSize)
    contents.write("auto", 16)
    const path = disk("auto", contents)
    for (let boot = 1; boot <= 2; boot++) {
      const { status, lines } = run("embedded", { disk: path })
      expect(status).toBe(0)
      expect(lines.slice(-3)).toEqual([`journal: wrote record ${boot}`, "autoquit: bye", ""])
    }
  })

  it("embedded takes more input than it has room for, and loses none", () => {
    const path = disk("flood")
    const notes = Array.from({ length: 40 }, (_, n) => `add note ${n} ${"z".repeat(n)}`)
    const { status, lines } = run("embedded", { disk: path }, `${notes.join("\n")}\nlist\nquit\n`)
    expect(status).toBe(0)
    expect(lines.filter(line => /^\d+ note: /.test(line))).toEqual(
      notes.map((note, n) => `${n + 2} note: ${note.slice("add ".length)}`),
    )
  })
})
