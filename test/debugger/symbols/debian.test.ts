/**
 * Symbols, types and tasks of Debian's kernel, compared with what it says of itself. CHRONOVISOR_TEST_DEBIAN is the home directory with the
 * image `debian` (`cv image build debian`); without it nothing is compared.
 */
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { type Btf, kernelBtf } from "../../../src/debugger/symbols/btf.ts"
import { type GuestView, Linux, type Task } from "../../../src/debugger/symbols/linux.ts"
import { findLinuxKernel, type LinuxKernel } from "../../../src/debugger/symbols/linux-kernel.ts"
import { SymbolTable } from "../../../src/debugger/symbols/symbol-table.ts"
import type { Machine } from "../../../src/machine/machine.ts"
import { runMachine } from "../../../src/session/record.ts"
import { machineFromSpec } from "../../../src/session/session.ts"
import { embedded, run, script, Watcher } from "../../session/embedded.ts"

const home = process.env.CHRONOVISOR_TEST_DEBIAN
const image = home ? join(home, "images", "debian") : null
const whyNot =
  image === null
    ? "set CHRONOVISOR_TEST_DEBIAN to a home directory with the image debian to compare with a real kernel"
    : existsSync(join(image, "kernel"))
      ? null
      : `there is no image in ${image}; build it with cv image build debian`
if (whyNot !== null) console.log(`skipped: Debian's kernel: ${whyNot}.`)

const RAM_BASE = 0x8000_0000

const physicalReader = (machine: Machine) => (address: number, length: number) => {
  const { core, config } = machine
  if (address < RAM_BASE || address + length > RAM_BASE + config.ramBytes) return null
  core.needPages(address, length)
  return core.ram.subarray(address - RAM_BASE, address - RAM_BASE + length)
}

/** The physical address of a virtual one by the page tables of satp (RISC-V privileged specification, 4.3 to 4.5). */
const translate = (machine: Machine, hart: number, virtual: bigint): number | null => {
  const satp = machine.core.getBig(hart, "satp")
  const read = physicalReader(machine)
  let table = Number(satp & ((1n << 44n) - 1n)) * 4096
  for (let level = Number(satp >> 60n) - 6; level >= 0; level--) {
    const shift = 12n + 9n * BigInt(level)
    const bytes = read(table + Number((virtual >> shift) & 511n) * 8, 8)!
    const entry = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
    if ((entry & 1n) === 0n) return null
    const page = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n
    if ((entry & 0xen) !== 0n) return Number(page | (virtual & ((1n << shift) - 1n)))
    table = Number(page)
  }
  return null
}

const viewOf = (machine: Machine): GuestView => ({
  readVirtual: (hart, address, length) => {
    const physical = translate(machine, hart, address)
    return physical === null ? null : physicalReader(machine)(physical, length)
  },
  register: (hart, name) => (name === "tp" ? machine.core.getBig(hart, "x", 4) : machine.core.getBig(hart, "sscratch")),
})

const commands = `
mount -t proc proc /proc
echo 0 > /proc/sys/kernel/kptr_restrict
echo "<<count $(grep -v '\\[' /proc/kallsyms | wc -l)>>"
echo "<<md5 $(grep -v '\\[' /proc/kallsyms | md5sum)>>"
sleep 1000 &
sleep 1000 &
for task in /proc/[0-9]*; do read -r name < $task/comm; echo "<<task \${task#/proc/} $name>>"; done
echo "<<busy $$>>"; while :; do read -r x < /proc/uptime; for y in 1 2 3 4 5 6 7 8 9; do :; done; done
`

describe.skipIf(whyNot !== null)("Debian's kernel", { timeout: 300_000 }, () => {
  let fresh: LinuxKernel
  let freshTypes: Btf | null
  let machine: Machine
  let console: string
  let kernel: LinuxKernel
  let linux: Linux

  const lookAt = (machine: Machine) => {
    const read = physicalReader(machine)
    const kernel = findLinuxKernel(read, { base: RAM_BASE, bytes: machine.config.ramBytes })!
    const symbols = new SymbolTable(kernel.symbols)
    return { kernel, symbols, types: kernelBtf(kernel, symbols, read) }
  }

  beforeAll(async () => {
    const [kernelFile, initrd] = ["kernel", "initrd"].map(name => new Uint8Array(readFileSync(join(image!, name))))
    machine = await run(
      machineFromSpec(
        embedded({
          harts: 1,
          memoryBytes: 512 << 20,
          firmware: "builtin",
          kernel: { name: "kernel", bytes: kernelFile! },
          initrd: { name: "initrd", bytes: initrd! },
          disks: [],
          bootargs: "console=ttyS0",
        }),
      ),
    )
    const atFirst = lookAt(machine)
    fresh = atFirst.kernel
    freshTypes = atFirst.types
    const watcher = new Watcher()
    const until = { kind: "console", pattern: /<<busy \d+>>/ } as const
    await run(runMachine(machine, null, watcher, { ...script(commands.trimStart()), until }))
    console = watcher.console
    const later = lookAt(machine)
    kernel = later.kernel
    linux = Linux.of(later.symbols, later.types!, viewOf(machine))!
  }, 300_000)

  test("has the symbols that it lists, at its first instruction and while it runs", () => {
    const listed = fresh.symbols.map(
      ({ address, type, name }) => `${address.toString(16).padStart(16, "0")} ${type} ${name}\n`,
    )
    expect(listed).toHaveLength(Number(/<<count (\d+)>>/.exec(console)![1]))
    expect(createHash("md5").update(listed.join("")).digest("hex")).toBe(/<<md5 (\w+) /.exec(console)![1])
    expect(kernel.symbols).toEqual(fresh.symbols)
    expect(kernel.mapping).toEqual(fresh.mapping)
  })

  test("lies where its page tables say", () => {
    const { virtual, physical, bytes } = kernel.mapping
    for (const offset of [0, 0x2000, bytes - 4096])
      expect(translate(machine, 0, virtual + BigInt(offset))).toBe(physical + offset)
  })

  test("has its types with it", () => {
    const member = (name: string) => freshTypes!.struct("task_struct")!.members.get(name)
    expect(member("pid")).toMatchObject({ kind: "int", size: 4 })
    expect(member("comm")).toMatchObject({ kind: "array", size: 16 })
  })

  test("has the processes that it lists", () => {
    const shell = Number(/<<busy (\d+)>>/.exec(console)![1])
    const listed = [...console.matchAll(/<<task (\d+) (.*)>>/g)].map(([, pid, name]) => ({
      pid: Number(pid),
      name: name!,
    }))
    listed.sort((a, b) => a.pid - b.pid)
    const found = linux.tasks(0)
    expect(found.map(({ pid }) => pid)).toEqual(listed.map(({ pid }) => pid))
    expect(found.filter(({ comm }) => comm === "sleep")).toHaveLength(2)
    expect(found.find(({ pid }) => pid === shell)?.comm).toBe("sh")
    // Threads of the kernel have longer names there, and what a worker is doing is added to its.
    for (const [at, { name }] of listed.entries()) {
      const { comm } = found[at]!
      if (comm.length === 15 || comm.startsWith("kworker/")) expect(name.startsWith(comm)).toBe(true)
      else expect(comm).toBe(name)
    }
  })

  test("executes the shell that never waits, in user mode and in the kernel", () => {
    const shell = Number(/<<busy (\d+)>>/.exec(console)![1])
    const seen: { readonly user: boolean; readonly task: Task | null }[] = []
    for (let sample = 0; sample < 500; sample++) {
      // No multiple of anything that the loop takes.
      for (const end = machine.executed + 100_003; machine.executed < end; ) machine.run(end - machine.executed)
      seen.push({ user: machine.core.getBig(0, "pc") < 1n << 63n, task: linux.currentTask(0) })
    }
    const [user, supervisor] = [seen.filter(({ user }) => user), seen.filter(({ user }) => !user)]
    expect(user.length).toBeGreaterThan(20)
    expect(supervisor.length).toBeGreaterThan(20)
    expect(seen.every(({ task }) => task !== null)).toBe(true)
    const ofShell = seen.filter(({ task }) => task?.pid === shell && task.tgid === shell && task.comm === "sh")
    expect(ofShell.length).toBeGreaterThan(450)
    expect(user.every(({ task }) => task?.pid === shell)).toBe(true)
  })
})
