/** Builds from the real archive and boots the result under QEMU. Without a network, apt or QEMU it says so and is skipped. */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Result } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Image, ImageStore } from "../../../src/host/images/index.ts"
import { readCpio } from "./cpio-reader.ts"

const home = mkdtempSync(join(tmpdir(), "images-"))
let image: Image | undefined
let whyNot = ""

const build = () =>
  Effect.runPromise(
    ImageStore.use(store => store.buildDebian({ force: true })).pipe(
      Effect.provide(ImageStore.layer(home)),
      Effect.result,
    ),
  )

beforeAll(async () => {
  const result = await build()
  if (Result.isSuccess(result)) image = result.success
  else if (["AptMissing", "MirrorUnreachable", "DebianSourcesMissing"].includes(result.failure._tag)) {
    whyNot = result.failure.message
  } else throw result.failure
}, 600_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

describe("an image from Debian's archive", () => {
  test("a second build gives the same bytes", { timeout: 300_000 }, async context => {
    if (image === undefined) return context.skip(whyNot)
    const { directory } = image
    const contents = () => readdirSync(directory).map(name => readFileSync(join(directory, name)))
    const before = contents()
    expect(Result.isSuccess(await build())).toBe(true)
    contents().forEach((content, index) => {
      expect(content.equals(before[index]!)).toBe(true)
    })
  })

  test("the initramfs has the drivers and the commands", context => {
    if (image === undefined) return context.skip(whyNot)
    const paths = readCpio(readFileSync(image.initrd!)).map(({ path }) => path)
    for (const command of ["sh", "poweroff", "reboot", "nproc", "gzip", "sha256sum", "sort", "vi"]) {
      expect(paths).toContain(`bin/${command}`)
    }
    const modules = paths.filter(path => path.endsWith(".ko")).map(path => path.replace(/.*\//, ""))
    expect(modules).toEqual(
      expect.arrayContaining(["ext4.ko", "jbd2.ko", "virtio-rng.ko", "virtio_blk.ko", "virtio_mmio.ko"]),
    )
  })

  test.for([
    ["poweroff", /reboot: Power down/],
    ["exit", /reboot: Power down/],
    ["reboot", /reboot: Restarting system/],
  ] as const)(
    "it boots under QEMU to a shell that answers, and %s ends it",
    { timeout: 120_000 },
    async ([command, last], context) => {
      if (image === undefined) return context.skip(whyNot)
      if (spawnSync("qemu-system-riscv64", ["--version"]).status !== 0)
        return context.skip("there is no qemu-system-riscv64 on this machine")
      const input = ["nproc; echo one | sort; hostname; tty\n", `${command}\n`]
      const output = await boot(image, input)
      expect(output).toMatch(/\r\n1\r\none\r\ndebian\r\n\/dev\/ttyS0\r\n/)
      expect(output).toMatch(last)
      expect(output.slice(output.indexOf("Run /init"))).not.toMatch(/not found|can't|panic|job control turned off/)
    },
  )
})

/** What the console shows when each line of `input` is typed at the next prompt, until the machine stops. */
function boot({ kernel, initrd, append }: Image, input: readonly string[]): Promise<string> {
  // One hart: with two, QEMU 7.2 was seen to stop before /init runs, once in many boots and mostly so with -icount.
  const machine = ["-M", "virt", "-m", "512M", "-smp", "1", "-nographic", "-bios", "default", "-no-reboot"]
  const child = spawn(
    "qemu-system-riscv64",
    [...machine, "-kernel", kernel, "-initrd", initrd!, "-append", `${append} earlycon=uart8250,mmio,0x10000000`],
    {
      stdio: ["pipe", "pipe", "inherit"],
      timeout: 100_000,
    },
  )
  let output = ""
  let read = 0
  const pending = [...input]
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("latin1")
    const prompt = output.indexOf("debian:/# ", read)
    if (prompt < 0 || pending.length === 0) return
    read = prompt + 1
    child.stdin.write(pending.shift()!)
  })
  return new Promise(resolve => child.on("close", () => resolve(output)))
}
