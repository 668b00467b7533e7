import { describe, expect, test } from "vitest"
import { type CpioEntry, writeCpio } from "../../../src/host/images/cpio.ts"
import { readCpio } from "./cpio-reader.ts"

const entries: readonly CpioEntry[] = [
  { kind: "directory", path: "dev", mode: 0o755 },
  { kind: "character-device", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
  { kind: "directory", path: "bin", mode: 0o755 },
  { kind: "file", path: "bin/busybox", mode: 0o755, data: new Uint8Array([1, 2, 3, 4, 5]) },
  { kind: "link", path: "bin/sh", target: "busybox" },
  { kind: "file", path: "empty", mode: 0o644, data: new Uint8Array(0) },
]

describe("writeCpio", () => {
  test("what was put in is what is read", () => {
    const read = readCpio(writeCpio(entries))
    expect(read.map(({ path, mode }) => [path, mode.toString(8)])).toEqual([
      ["bin", "40755"],
      ["bin/busybox", "100755"],
      ["bin/sh", "120777"],
      ["dev", "40755"],
      ["dev/console", "20600"],
      ["empty", "100644"],
    ])
    expect(read[1]!.data).toEqual(new Uint8Array([1, 2, 3, 4, 5]))
    expect(new TextDecoder().decode(read[2]!.data)).toBe("busybox")
    expect(read[4]).toMatchObject({ major: 5, minor: 1 })
    expect(read.every(({ uid, gid, mtime }) => uid === 0 && gid === 0 && mtime === 0)).toBe(true)
    expect(new Set(read.map(({ inode }) => inode)).size).toBe(read.length)
  })

  test("the order of the entries does not matter", () => {
    expect(writeCpio([...entries].reverse())).toEqual(writeCpio(entries))
  })

  test("the length is a multiple of 512", () => {
    expect(writeCpio(entries).length % 512).toBe(0)
  })

  test("a header is the documented bytes", () => {
    const header = new TextDecoder().decode(writeCpio(entries).subarray(0, 114))
    const fields = ["00000001", "000041ED", "00000000", "00000000", "00000002", "00000000", "00000000"]
    const rest = ["00000000", "00000000", "00000000", "00000000", "00000004", "00000000"]
    expect(header).toBe(`070701${[...fields, ...rest].join("")}bin\0`)
  })

  test("a path twice and a missing directory are programming errors", () => {
    expect(() => writeCpio([...entries, entries[0]!])).toThrow("twice")
    expect(() => writeCpio([{ kind: "link", path: "a/b", target: "c" }])).toThrow("missing")
  })
})
