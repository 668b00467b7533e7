/** What an instruction does to control flow, and which floating-point functions it calls, found out from its meaning. */
import type { OperandName } from "../../riscv/format.ts"
import type { Instruction } from "../../riscv/instruction.ts"
import type { Semantics } from "../../riscv/semantics.ts"
import { FunctionBuilder, type FunctionRef, i32, i64, type Local } from "../../wasm/index.ts"
import { Execution } from "../execution.ts"
import type { FloatLibrary } from "../float/index.ts"

/** `outside`: the interpreter has to execute it (CSRs, traps, privileged instructions). */
export type ControlKind = "straight" | "branch" | "jump" | "indirect" | "outside"

const anyFunction: FunctionRef = { name: "any", index: 0, type: { params: [], result: "i64" } }

/** Executes a meaning for what it asks for alone. */
class Inquiry extends Execution {
  kind: ControlKind = "straight"
  readonly floats: (keyof FloatLibrary)[] = []
  needsFloat = false

  constructor() {
    super(new FunctionBuilder({ params: [], result: null }), i32.const(0), i64.const(0))
  }

  protected raw(_: OperandName) {
    return i32.const(0)
  }
  readonly rs1 = i64.const(0)
  readonly rs2 = i64.const(0)
  readonly imm = i64.const(0)
  readonly pc = i64.const(0)
  readonly next = i64.const(0)
  rd(): void {}
  branch(): void {
    this.kind = "branch"
  }
  jumpRelative(): void {
    this.kind = "jump"
  }
  jump(): void {
    this.kind = "indirect"
  }
  trap(): void {}
  csr() {
    this.kind = "outside"
    return i64.const(0)
  }
  csrUnlessZero() {
    return this.csr()
  }
  system(_: Parameters<Semantics["system"]>[0]): void {
    this.kind = "outside"
  }
  sfenceVma(): void {
    this.kind = "outside"
  }
  protected findLoad(_: Local<"i32">): void {}
  protected storeElsewhere(): void {}
  protected findAtomic(_: Local<"i32">): void {}
  protected wroteFound(): void {}
  requireFloat(): void {
    this.needsFloat = true
  }
  protected floatRegister() {
    return i64.const(0)
  }
  protected setFloatRegister(): void {}
  protected setFloatDirty(): void {}
  protected floatFunction(name: keyof FloatLibrary): FunctionRef {
    this.floats.push(name)
    return anyFunction
  }
}

const known = new Map<Instruction["meaning"], Inquiry>()

const inquire = ({ meaning }: Instruction): Inquiry => {
  const found = known.get(meaning)
  if (found !== undefined) return found
  const inquiry = new Inquiry()
  meaning(inquiry)
  known.set(meaning, inquiry)
  return inquiry
}

export const controlKind = (instruction: Instruction): ControlKind => inquire(instruction).kind

/** Whether an instruction is illegal while the floating-point unit is off. */
export const needsFloat = (instruction: Instruction): boolean => inquire(instruction).needsFloat

/** The floating-point functions an instruction calls. */
export const floatFunctions = (instruction: Instruction): readonly (keyof FloatLibrary)[] => inquire(instruction).floats
