import { Effect } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { debianPrograms, type Selection } from "../../tools/bench/debian-programs.ts"
import { readCpio } from "../host/images/cpio-reader.ts"
import { FakeDebian } from "../host/images/fake-debian.ts"

describe("Debian's programs for a guest", () => {
  let debian: FakeDebian
  beforeEach(() => {
    debian = new FakeDebian()
    debian.package("gzip", "1.13-1", { "usr/bin/gzip": "ELF gzip", "usr/bin/unused": "" })
    debian.package("libc6", "2.41-12", { "usr/lib/libc.so.6": "ELF libc" })
  })
  afterEach(() => debian.close())

  const selection: Selection = {
    suite: "trixie",
    packages: ["gzip", "libc6"],
    files: { "bench/bin/gzip": "usr/bin/gzip", "lib/libc.so.6": "usr/lib/libc.so.6" },
  }
  const fetched = (wanted = selection) => Effect.runPromise(debianPrograms(debian.home, wanted))

  it("are the files asked for, where they were asked for", async () => {
    const { archive, packages } = await fetched()
    expect(packages).toEqual([
      { name: "gzip", version: "1.13-1" },
      { name: "libc6", version: "2.41-12" },
    ])
    const entries = readCpio(archive)
    expect(entries.map(({ path }) => path)).toEqual(["bench", "bench/bin", "bench/bin/gzip", "lib", "lib/libc.so.6"])
    expect(new TextDecoder().decode(entries[2]!.data)).toBe("ELF gzip")
  })

  it("are fetched once", async () => {
    const first = await fetched()
    debian.removePrograms()
    const second = await fetched()
    expect(second.packages).toEqual(first.packages)
    expect(Buffer.compare(second.archive, first.archive)).toBe(0)
    await expect(fetched({ ...selection, packages: ["gzip"] })).rejects.toThrow("apt-config")
  })

  it("are fetched again when others are asked for", async () => {
    await fetched()
    const { archive } = await fetched({ ...selection, packages: ["gzip"], files: { gzip: "usr/bin/gzip" } })
    expect(readCpio(archive).map(({ path }) => path)).toEqual(["gzip"])
  })

  it("are not kept when a file is missing", async () => {
    const wanted = { ...selection, files: { "bench/bin/other": "usr/bin/other" } }
    await expect(fetched(wanted)).rejects.toThrow("usr/bin/other")
    await expect(fetched(wanted)).rejects.toThrow("usr/bin/other")
  })
})
