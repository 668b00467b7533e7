import { describe, expect, test } from "vitest"
import { Btf } from "../../../src/debugger/symbols/btf.ts"
import { type GuestView, Linux } from "../../../src/debugger/symbols/linux.ts"
import { SymbolTable } from "../../../src/debugger/symbols/symbol-table.ts"
import { compileBtf, noCompiler, nothingCompiled } from "./btf-compiler.ts"

const source = `
#include <stddef.h>
struct list_head { struct list_head *next, *prev; };
typedef int pid_t;
struct task_struct {
  long state;
  struct { int prio; struct list_head tasks; pid_t pid, tgid; };
  char comm[16];
};
struct task_struct task;
unsigned long numbers[] __attribute__((section(".numbers"))) = {
  offsetof(struct task_struct, tasks), offsetof(struct task_struct, pid), offsetof(struct task_struct, tgid),
  offsetof(struct task_struct, comm), sizeof task,
};`

const INIT = 0xffff_ffff_81c1_0180n
const SLAB = 0xffff_af80_0100_0000n

/** Kernel memory with tasks in a list as Linux keeps it; the first is init_task. */
const tasksInMemory = (numbers: readonly number[], names: readonly string[]) => {
  const [tasksAt, pidAt, tgidAt, commAt, size] = numbers as [number, number, number, number, number]
  const addresses = names.map((_, at) => (at === 0 ? INIT : SLAB + BigInt(at * 0x1000)))
  const blocks = new Map(
    addresses.map((address, at) => {
      const bytes = new Uint8Array(size)
      const view = new DataView(bytes.buffer)
      const next = addresses[(at + 1) % addresses.length]!
      view.setBigUint64(tasksAt, next + BigInt(tasksAt), true)
      view.setInt32(pidAt, at + 100, true)
      view.setInt32(tgidAt, at + 50, true)
      bytes.set(new TextEncoder().encode(names[at]).subarray(0, 16), commAt)
      return [address, bytes] as const
    }),
  )
  const registers: Record<string, bigint> = { tp: 0n, sscratch: 0n }
  const view: GuestView = {
    readVirtual: (_, address, length) => {
      for (const [start, bytes] of blocks) {
        const offset = Number(address - start)
        if (offset >= 0 && offset + length <= bytes.length) return bytes.slice(offset, offset + length)
      }
      return null
    },
    register: (_, name) => registers[name]!,
  }
  return { addresses, blocks, registers, view }
}

describe.skipIf(noCompiler !== null)(`Linux${noCompiler ? `: ${noCompiler}` : ""}`, () => {
  const { btf, numbers } = noCompiler === null ? compileBtf(source) : nothingCompiled
  const symbols = new SymbolTable([{ name: "init_task", address: INIT, type: "D" }])
  const start = (names: readonly string[]) => {
    const memory = tasksInMemory(numbers, names)
    return { ...memory, linux: Linux.of(symbols, Btf.read(btf)!, memory.view)! }
  }

  test("names the task of a hart, in the kernel, in user mode and between them", () => {
    const { linux, registers, addresses } = start(["swapper/0", "init", "sh"])
    const [idle, , shell] = addresses as [bigint, bigint, bigint]
    const sh = { address: shell, pid: 102, tgid: 52, comm: "sh" }
    registers.tp = shell
    expect(linux.currentTask(0)).toEqual(sh)
    Object.assign(registers, { tp: 0x7fff_1234n, sscratch: shell })
    expect(linux.currentTask(0)).toEqual(sh)
    // The first instruction of a trap exchanges them.
    Object.assign(registers, { tp: shell, sscratch: 0x7fff_1234n })
    expect(linux.currentTask(0)).toEqual(sh)
    Object.assign(registers, { tp: 0n, sscratch: idle })
    expect(linux.currentTask(0)).toMatchObject({ address: idle, comm: "swapper/0" })
    // As a signed number, which is how a register may be given.
    Object.assign(registers, { tp: BigInt.asIntN(64, shell), sscratch: 0n })
    expect(linux.currentTask(0)).toEqual(sh)
  })

  test("has no task before it runs, or where memory cannot be read", () => {
    const { linux, registers } = start(["swapper/0"])
    Object.assign(registers, { tp: 0x8020_0000n, sscratch: 0n })
    expect(linux.currentTask(0)).toBeNull()
    registers.tp = 0xffff_ffff_0000_0000n
    expect(linux.currentTask(0)).toBeNull()
  })

  test("lists processes", () => {
    const { linux } = start(["swapper/0", "init", "kthreadd", "a-name-of-fifteen-and-more"])
    expect(linux.tasks(0).map(({ pid, comm }) => `${pid} ${comm}`)).toEqual([
      "101 init",
      "102 kthreadd",
      "103 a-name-of-fiftee",
    ])
    expect(start(["swapper/0"]).linux.tasks(0)).toEqual([])
  })

  test("lists what there is of a damaged list", () => {
    const { linux, blocks, addresses } = start(["swapper/0", "one", "two", "three"])
    const last = new DataView(blocks.get(addresses[3]!)!.buffer)
    // The last one leads back to the first process instead of to the beginning.
    last.setBigUint64(numbers[0]!, addresses[1]! + BigInt(numbers[0]!), true)
    expect(linux.tasks(0).map(({ comm }) => comm)).toEqual(["one", "two", "three"])
    blocks.delete(addresses[2]!)
    expect(linux.tasks(0).map(({ comm }) => comm)).toEqual(["one"])
  })

  test("needs init_task and the layout of tasks", () => {
    const { view } = start([])
    expect(Linux.of(new SymbolTable([]), Btf.read(btf)!, view)).toBeNull()
  })
})
