import { spawnSync } from "node:child_process"
import { expect, test } from "vitest"
import { linuxSyscallName, linuxSyscalls } from "../../src/debugger/linux-syscalls.ts"

test("names and numbers belong to each other", () => {
  expect(linuxSyscalls.size).toBe(318)
  expect(new Set(linuxSyscalls.values()).size).toBe(318)
  for (const [name, number] of linuxSyscalls) {
    expect(name).toMatch(/^[a-z][a-z\d_]*$/)
    expect(linuxSyscallName(number)).toBe(name)
  }
  for (const number of [38, 42, 244, 257, 295, 423, 463, -1]) expect(linuxSyscallName(number)).toBe(null)
})

test.each([
  ["io_setup", 0],
  ["openat", 56],
  ["read", 63],
  ["write", 64],
  ["exit_group", 94],
  ["getrlimit", 163],
  ["clone", 220],
  ["execve", 221],
  ["mmap", 222],
  ["riscv_hwprobe", 258],
  ["riscv_flush_icache", 259],
  ["clone3", 435],
  ["memfd_secret", 447],
  ["mseal", 462],
] as const)("%s is %i", (name, number) => expect(linuxSyscalls.get(name)).toBe(number))

const compiler = "riscv64-linux-gnu-gcc"
const preprocess = (source: string, ...flags: string[]) =>
  spawnSync(compiler, ["-E", ...flags, "-"], { input: source, encoding: "utf8" })
const headers = preprocess("#include <asm/unistd.h>", "-dM")

test.skipIf(headers.status !== 0)("the C library's headers, which may be older, agree", () => {
  const names = [...headers.stdout.matchAll(/^#define __NR_(\w+)/gm)].map(([, name]) => name!)
  const values = preprocess(`#include <asm/unistd.h>\n${names.map(name => `@${name}= __NR_${name}`).join("\n")}`, "-P")
  // Removed from Linux before it had this table, a count, and a base for others.
  const others = new Set(["nfsservctl", "syscalls", "arch_specific_syscall"])
  const found = [...values.stdout.matchAll(/^@(\w+)= ([\d()+ ]+)$/gm)].filter(([, name]) => !others.has(name!))
  expect(found.length).toBeGreaterThan(300)
  for (const [, name, sum] of found) {
    const terms = sum!.match(/\d+/g)!.map(Number)
    expect(linuxSyscalls.get(name!), name).toBe(terms.reduce((a, b) => a + b))
  }
})
