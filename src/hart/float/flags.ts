/** The accrued exception flags in memory. RISC-V unprivileged specification, "F", `fflags`; IEEE 754-2019, section 7. */
import { type Expr, type FunctionBuilder, type I32, i32 } from "../../wasm/index.ts"

export const NX = 1
export const UF = 2
export const OF = 4
export const DZ = 8
export const NV = 16

/** The i32 at one fixed byte address; flags are only ever added here. */
export class Flags {
  readonly address: number

  constructor(address: number) {
    this.address = address
  }

  raise(f: FunctionBuilder, flags: I32): void {
    f.storeI32(this.address, i32.or(i32.load(this.address), flags))
  }

  /** Nonzero when NX is up already: being sticky, it then need not be worked out. */
  inexactIsUp(): Expr<"i32"> {
    return i32.and(i32.load(this.address), NX)
  }
}
