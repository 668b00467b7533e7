/** What an instruction does to control flow, found out from its meaning. */
import type { OperandName } from "../../riscv/format.ts"
import type { Instruction } from "../../riscv/instruction.ts"
import type { Semantics } from "../../riscv/semantics.ts"
import { FunctionBuilder, type FunctionRef, i32, i64, type Local } from "../../wasm/index.ts"
import { Execution } from "../execution.ts"

/** `outside`: the interpreter has to execute it (CSRs, traps, privileged instructions). */
export type ControlKind = "straight" | "branch" | "jump" | "indirect" | "outside"

const anyFunction = (result: FunctionRef["type"]["result"]): FunctionRef => ({
  name: "any",
  index: 0,
  type: { params: [], result },
})

/** Executes a meaning for what it asks for alone. */
class Inquiry extends Execution {
  kind: ControlKind = "straight"

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
  protected floatFunction(): FunctionRef {
    return anyFunction("i64")
  }
}

const known = new Map<Instruction["meaning"], ControlKind>()

export const controlKind = ({ meaning }: Instruction): ControlKind => {
  const found = known.get(meaning)
  if (found !== undefined) return found
  const inquiry = new Inquiry()
  meaning(inquiry)
  known.set(meaning, inquiry.kind)
  return inquiry.kind
}
