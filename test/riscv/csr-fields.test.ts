import { describe, expect, it } from "vitest"
import { csrNumber, MISA, menvcfg, mip, mstatus, mstatusBit } from "../../src/riscv/csr.ts"
import { csrFields, decodeCsr } from "../../src/riscv/csr-fields.ts"

const said = (name: string, value: bigint): string =>
  decodeCsr(name, value)
    .map(({ name, text }) => (text === null ? name : `${name}=${text}`))
    .join(" ")

describe("a register's fields", () => {
  it.each([
    ["mstatus", 0x8000000a00006100n, "SD SXL=64 UXL=64 FS=dirty MPP=user SPP=supervisor"],
    ["mstatus", 0xa00001880n, "SXL=64 UXL=64 FS=off MPP=machine SPP=user MPIE"],
    ["sstatus", 0x200040022n, "UXL=64 SUM FS=off SPP=user SPIE SIE"],
    ["satp", 0x8000000000081234n, "MODE=Sv39 PPN=0x81234"],
    ["satp", 0x9abc000000081234n, "MODE=Sv48 ASID=0xabc0 PPN=0x81234"],
    ["satp", 0n, "MODE=bare PPN=0x0"],
    ["scause", 0x8000000000000005n, "interrupt=supervisor timer"],
    ["mcause", 13n, "exception=load page fault"],
    ["mcause", 0x30n, "exception=cause48"],
    ["stvec", 0xffffffff80001001n, "BASE=0xffffffff80001000 MODE=vectored"],
    ["mip", 0xa0n, "MTIP STIP"],
    ["sie", 0x222n, "SEIE STIE SSIE"],
    ["mideleg", 0x222n, "supervisor external supervisor timer supervisor software"],
    ["medeleg", 0x100n, "ecall from u"],
    ["misa", MISA, "MXL=64 U S M I F D C A"],
    ["fcsr", 0x31n, "FRM=to zero NV NX"],
    ["frm", 5n, "FRM=0x5"],
    ["menvcfg", menvcfg.STCE | 1n, "STCE FIOM"],
    ["mcounteren", 0xffffffffn, "HPM=all IR TM CY"],
    ["mcounteren", 0xbn, "HPM=0x1 TM CY"],
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

it("is of registers there are, each bit in one field, lowest first", () => {
  for (const [register, fields] of Object.entries(csrFields)) {
    expect(csrNumber).toHaveProperty(register)
    let free = 0
    for (const { from, width } of fields) {
      expect(from, register).toBeGreaterThanOrEqual(free)
      free = from + width
    }
    expect(free).toBeLessThanOrEqual(64)
  }
})
