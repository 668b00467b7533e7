import { describe, expect, it } from "vitest"
import { csrNumber, MISA, menvcfg, mip, mstatus, mstatusBit } from "../../src/riscv/csr.ts"
import { csrFields, decodeCsr } from "../../src/riscv/csr-fields.ts"

const said = (name: string, value: bigint): string =>
  decodeCsr(name, value)
    .map(({ name, text }) => (text === null ? name : `${name}=${text}`))
    .join(" ")

describe("a register's fields", () => {
  it.each([
    ["mstatus", 0x8000000a00006100n, "SPP=S MPP=U FS=dirty SD UXL=64 SXL=64"],
    ["mstatus", 0xa00001880n, "MPIE SPP=U MPP=M FS=off UXL=64 SXL=64"],
    ["sstatus", 0x200040022n, "SIE SPIE SPP=U FS=off SUM UXL=64"],
    ["satp", 0x8000000000081234n, "MODE=Sv39 PPN=0x81234"],
    ["satp", 0x9abc000000081234n, "MODE=Sv48 ASID=0xabc0 PPN=0x81234"],
    ["satp", 0n, "MODE=bare PPN=0x0"],
    ["scause", 0x8000000000000005n, "interrupt=supervisor timer"],
    ["mcause", 13n, "exception=load page fault"],
    ["mcause", 0x30n, "exception=cause48"],
    ["stvec", 0xffffffff80001001n, "BASE=0xffffffff80001000 MODE=vectored"],
    ["mip", 0xa0n, "STIP MTIP"],
    ["sie", 0x222n, "SSIE STIE SEIE"],
    ["mideleg", 0x222n, "supervisor software supervisor timer supervisor external"],
    ["medeleg", 0x100n, "ecall from u"],
    ["misa", MISA, "MXL=64 A C D F I M S U"],
    ["fcsr", 0x31n, "FRM=to zero NX NV"],
    ["frm", 5n, "FRM=0x5"],
    ["menvcfg", menvcfg.STCE | 1n, "FIOM STCE"],
    ["mcounteren", 0xffffffffn, "CY TM IR HPM=all"],
    ["mcounteren", 0xbn, "CY TM HPM=0x1"],
    ["mepc", 0x80001234n, ""],
  ])("%s %#", (name, value, text) => {
    expect(said(name, value)).toBe(text)
  })
})

it("lies where the machine has it", () => {
  const at = (register: "mstatus" | "mip", name: string) => csrFields[register]!.find(field => field.name === name)!
  for (const [name, position] of Object.entries(mstatusBit)) expect(at("mstatus", name).from).toBe(position)
  for (const [name, mask] of Object.entries(mip)) expect(1n << BigInt(at("mip", name).from)).toBe(mask)
  for (const name of ["MPP", "FS", "UXL", "SD"] as const) {
    const { from, width } = at("mstatus", name)
    expect(((1n << BigInt(width)) - 1n) << BigInt(from)).toBe(mstatus[name])
  }
})

it("is of registers there are, each bit in one field", () => {
  for (const [register, fields] of Object.entries(csrFields)) {
    expect(csrNumber).toHaveProperty(register)
    let free = 0
    for (const { from, width } of fields.toSorted((a, b) => a.from - b.from)) {
      expect(from, register).toBeGreaterThanOrEqual(free)
      free = from + width
    }
    expect(free).toBeLessThanOrEqual(64)
  }
})
