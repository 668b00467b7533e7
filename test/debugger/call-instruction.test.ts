/** Calls in machine code are those that objdump calls so. */
import { execFileSync, spawnSync } from "node:child_process"
import { expect, test } from "vitest"
import { callIn } from "../../src/debugger/call-instruction.ts"

const program = new URL("../../scenarios/guests/embedded/embedded.elf", import.meta.url).pathname
const objdump = "riscv64-linux-gnu-objdump"
const isThere = spawnSync(objdump, ["--version"]).status === 0

test.skipIf(!isThere)(`in all code of a guest${isThere ? "" : `: there is no ${objdump}`}`, () => {
  const text = execFileSync(objdump, ["-d", "-M", "no-aliases", program], { encoding: "utf8" })
  let calls = 0
  for (const [, digits, bytes, name, operands] of text.matchAll(/^ *([\da-f]+):\t([\da-f]+) +\t(\S+)(?:\t(.*))?$/gm)) {
    const address = BigInt(`0x${digits}`)
    const call = callIn(Number.parseInt(bytes!, 16) | 0)
    const direct = name === "jal" ? /^ra,([\da-f]+)/.exec(operands!) : null
    const computed = name === "jalr" ? /^ra,(-?\d+)\((\w+)\)/.exec(operands!) : null
    const short = name === "c.jalr" ? /^(\w+)/.exec(operands!) : null
    if (direct) {
      expect(call).toMatchObject({ bytes: 4, target: { register: null } })
      expect(address + BigInt(call!.target.offset)).toBe(BigInt(`0x${direct[1]}`))
    } else if (computed)
      expect(call).toEqual({ bytes: 4, target: { register: computed[2], offset: Number(computed[1]) } })
    else if (short) expect(call).toEqual({ bytes: 2, target: { register: short[1], offset: 0 } })
    else expect(call).toBeNull()
    if (call !== null) calls++
  }
  expect(calls).toBeGreaterThan(50)
})
