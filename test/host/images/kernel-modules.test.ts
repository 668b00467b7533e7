import { expect, test } from "vitest"
import { busyboxApplets } from "../../../src/host/images/busybox.ts"
import { modulesAlias, modulesDep, readKernelModule } from "../../../src/host/images/kernel-modules.ts"
import { elfFile } from "../../machine/elf-file.ts"

function module(path: string, info: string) {
  const data = new TextEncoder().encode(info.replaceAll("|", "\0"))
  return readKernelModule(path, elfFile({ type: 1, sections: [{ name: ".modinfo", data }] }))!
}

const ext4 = module(
  "kernel/fs/ext4/ext4.ko.xz",
  "alias=fs-ext4|alias=ext3|alias=ext3|depends=jbd2,mb-cache|softdep=pre: crc post: x|",
)
const jbd2 = module("kernel/fs/jbd2/jbd2.ko", "depends=|softdep=pre: crc|")
const cache = module("mb-cache.ko.zst", "depends=|")
const crc = module("crc.ko", "")

test("a module tells what it is and needs", () => {
  expect(ext4).toMatchObject({
    name: "ext4",
    fileName: "ext4.ko",
    aliases: ["fs-ext4", "ext3"],
    depends: ["jbd2", "mb-cache"],
    softDepends: ["crc"],
  })
  expect(cache).toMatchObject({ name: "mb_cache", fileName: "mb-cache.ko" })
})

test("a file that is no RISC-V module is none", () => {
  expect(readKernelModule("x.ko", elfFile({ machine: 62, type: 1 }))).toBeUndefined()
  expect(readKernelModule("x.ko", elfFile({ type: 1 }))).toBeUndefined()
})

test("the index files name all that is needed, each once", () => {
  expect(modulesDep([ext4, jbd2, cache, crc])).toBe(`ext4.ko: crc.ko jbd2.ko mb-cache.ko
jbd2.ko: crc.ko
mb-cache.ko:
crc.ko:
`)
  expect(modulesAlias([ext4, jbd2])).toBe("alias fs-ext4 ext4\nalias ext3 ext4\n")
})

test("busybox's commands are the longest sorted run of names", () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  expect(busyboxApplets(bytes("x[\0[[\0no! [\0[[\0ash\0sha3sum\0xz\0bin\0"))).toEqual([
    "[",
    "[[",
    "ash",
    "sha3sum",
    "xz",
  ])
  expect(busyboxApplets(bytes("nothing here"))).toEqual([])
  expect(busyboxApplets(bytes("[\0[[\0ash"))).toEqual(["[", "[["])
})
