/** The one thing a machine must do to be compared: run an image and give back its console. */
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface GuestOptions {
  readonly ramBytes: number
  /** Gives up after this much wall-clock time. */
  readonly timeoutMs: number
}

export interface GuestResult {
  /** Everything the guest wrote to its UART. */
  readonly console: string
  /** False when it had to be stopped before it powered off. */
  readonly finished: boolean
}

/**
 * Boots a raw image at 0x80000000 in machine mode, as QEMU's `-bios none` does (a0 = hart id, a1 = device tree), and returns
 * its console up to the power-off through the syscon at 0x100000.
 */
export type RunGuest = (image: Uint8Array, options: GuestOptions) => GuestResult | Promise<GuestResult>

/** The QEMU processor that has this machine's extensions and no more. */
export const qemuCpu = "rv64,h=false,zba=true,zbb=true,zbs=true,zbc=false,sstc=true,debug=false,pmu-num=0"

/**
 * Runs images on qemu-system-riscv64. A second hart, which programs park, makes QEMU use its atomic helpers: they report AMO
 * faults with the causes of stores, as the specification says, where its single-hart path reports those of loads.
 */
export const runQemu = async (image: Uint8Array, options: GuestOptions): Promise<GuestResult> => {
  const directory = await mkdtemp(join(tmpdir(), "differential-"))
  try {
    const path = join(directory, "image.bin")
    // A file, not a pipe: QEMU's UART drops characters when its reader is slow.
    const consolePath = join(directory, "console.txt")
    await writeFile(path, image)
    const megabytes = `${options.ramBytes / 2 ** 20}M`
    const args = ["-M", "virt", "-cpu", qemuCpu, "-smp", "2", "-accel", "tcg,thread=multi", "-m", megabytes]
    args.push("-display", "none", "-monitor", "none", "-serial", `file:${consolePath}`, "-bios", "none")
    args.push("-device", `loader,file=${path},addr=0x80000000,force-raw=on`)
    const finished = await new Promise<boolean>((resolve, reject) => {
      const limits = { timeout: options.timeoutMs, killSignal: "SIGKILL" } as const
      const child = execFile("qemu-system-riscv64", args, limits, (error, _, stderr) => {
        if (error === null) resolve(true)
        else if (child.killed) resolve(false)
        else reject(new Error(`QEMU could not run the program: ${error.message}\n${stderr}`))
      })
    })
    return { console: await readFile(consolePath, "latin1"), finished }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
