/** A region's registers, kept in locals while it runs. */
import { mstatus } from "../../riscv/csr.ts"
import { type Expr, type FunctionBuilder, f64, i32, i64, type Local } from "../../wasm/index.ts"
import { active, get32, get64, set64 } from "../state.ts"
import type { Region } from "./control-flow.ts"
import { namedBy, type RegisterFile, type RegisterUse, registersIn, registerUse } from "./register-use.ts"

export type Registers<T extends "i64" | "f64"> = ReadonlyMap<number, Local<T>>

/** Every register that a region names. */
export const namedIn = (region: Region, file: RegisterFile): readonly number[] =>
  registersIn([...region.blocks.values()].reduce((named, { instructions }) => named | namedBy(instructions, file), 0))

/** Locals for the registers of a file, those that are needed read from `from`. */
export const registerLocals = <T extends "i64" | "f64">(
  f: FunctionBuilder,
  type: T,
  named: readonly number[],
  needed: number,
  from: (register: number) => Expr<T>,
): Registers<T> =>
  new Map(
    named.map(register => [register, (needed >>> register) & 1 ? f.let(from(register)) : (f.local(type) as Local<T>)]),
  )

/** The floating-point side of a region. */
export class FloatState {
  readonly registers: Registers<"f64">
  readonly use: RegisterUse
  private readonly f: FunctionBuilder
  /** The unit is on: mstatus.FS. */
  readonly isOn: Local<"i32">
  /** Registers or flags may have been written here. */
  private readonly isDirty: Local<"i32">
  /** frm says to nearest even. */
  readonly isNearest: Local<"i32">
  /** So it does, and NX is up: an operation of the host that is merely inexact changes no flag. */
  readonly isPlain: Local<"i32">

  constructor(f: FunctionBuilder, region: Region) {
    this.f = f
    this.use = registerUse(region, "f")
    const load = (register: number) => f64.load(0, active("f", register))
    this.registers = registerLocals(f, "f64", namedIn(region, "f"), this.use.needed, load)
    this.isOn = f.let(i64.ne(i64.and(get64("mstatus"), mstatus.FS), 0))
    this.isDirty = f.local("i32")
    this.isNearest = f.let(i32.eqz(get32("frm")))
    this.isPlain = f.let(i32.const(0))
    this.flagsRose()
  }

  /** Call where flags may have been raised. */
  flagsRose(): void {
    this.f.set(this.isPlain, i32.and(this.isNearest, get32("fflags")))
  }
  setDirty(): void {
    this.f.set(this.isDirty, 1)
  }
  putBack(register: number): void {
    this.f.storeF64(0, this.registers.get(register)!, active("f", register))
  }
  putBackStatus(): void {
    const { f } = this
    f.if(this.isDirty, () => set64(f, "mstatus", i64.or(get64("mstatus"), mstatus.FS)))
  }
}
