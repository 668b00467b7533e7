/**
 * Builds one function's body, statement by statement, over typed expressions.
 * Control instructions: WebAssembly core specification, sections 2.4.8 and 5.4.1.
 */
import { Bytes } from "./bytes.ts"
import { constI32, constI64, type Expr, type I32, type I64, type Local } from "./expression.ts"
import type { FunctionRef, TableRef, TypeRef } from "./module.ts"
import { type FunctionType, type ValueType, valueTypeCode } from "./types.ts"

/** Where a branch may go: the end of a block or the head of a loop. */
export interface Label {
  readonly level: number
}

const expr32 = (value: I32): Expr<"i32"> => (typeof value === "number" ? constI32(value) : value)
const expr64 = (value: I64): Expr<"i64"> => (typeof value === "object" ? value : constI64(value))

export class FunctionBuilder {
  readonly code = new Bytes()
  private readonly localTypes: ValueType[] = []
  private readonly free: Record<ValueType, Local[]> = { i32: [], i64: [], f32: [], f64: [] }
  private scoped: Local[] | null = null
  private level = 0
  private readonly type: FunctionType

  constructor(type: FunctionType) {
    this.type = type
  }

  /** The `index`-th parameter. */
  param<T extends ValueType>(index: number, type: T): Local<T> {
    if (this.type.params[index] !== type) throw new Error(`parameter ${index} is not ${type}`)
    return this.localAt(index, type)
  }

  /** A local. Outside `scope` it is new and zero at entry; inside it may hold what an earlier scope left there. */
  local<T extends ValueType>(type: T): Local<T> {
    const reused = this.scoped && this.free[type].pop()
    const local = reused ? (reused as Local<T>) : this.newLocal(type)
    this.scoped?.push(local)
    return local
  }

  private newLocal<T extends ValueType>(type: T): Local<T> {
    this.localTypes.push(type)
    return this.localAt(this.type.params.length + this.localTypes.length - 1, type)
  }

  /** Locals made inside `body` are given back at its end, for a later scope to use. */
  scope(body: () => void): void {
    const outer = this.scoped
    this.scoped = []
    body()
    for (const local of this.scoped) this.free[local.type].push(local)
    this.scoped = outer
  }

  private localAt<T extends ValueType>(index: number, type: T): Local<T> {
    return {
      type,
      index,
      write: code => {
        code.byte(0x20)
        code.unsigned(index)
      },
    }
  }

  /** Evaluates `value` now and keeps it in a new local. */
  let<T extends ValueType>(value: Expr<T>): Local<T> {
    const local = this.local(value.type)
    this.set(local, value)
    return local
  }

  set<T extends ValueType>(
    local: Local<T>,
    value: Expr<T> | (T extends "i32" ? number : T extends "i64" ? number | bigint : never),
  ): void {
    if (typeof value === "object") (value as Expr).write(this.code)
    else if (local.type === "i32") constI32(value as number).write(this.code)
    else constI64(value as number | bigint).write(this.code)
    this.code.byte(0x21)
    this.code.unsigned(local.index)
  }

  private storeOp(opcode: number, address: I32, value: Expr, offset: number): void {
    expr32(address).write(this.code)
    value.write(this.code)
    this.code.byte(opcode)
    this.code.unsigned(0)
    this.code.unsigned(offset)
  }

  storeI32(address: I32, value: I32, offset = 0): void {
    this.storeOp(0x36, address, expr32(value), offset)
  }
  storeI32As8(address: I32, value: I32, offset = 0): void {
    this.storeOp(0x3a, address, expr32(value), offset)
  }
  storeI32As16(address: I32, value: I32, offset = 0): void {
    this.storeOp(0x3b, address, expr32(value), offset)
  }
  storeI64(address: I32, value: I64, offset = 0): void {
    this.storeOp(0x37, address, expr64(value), offset)
  }
  storeI64As8(address: I32, value: I64, offset = 0): void {
    this.storeOp(0x3c, address, expr64(value), offset)
  }
  storeI64As16(address: I32, value: I64, offset = 0): void {
    this.storeOp(0x3d, address, expr64(value), offset)
  }
  storeI64As32(address: I32, value: I64, offset = 0): void {
    this.storeOp(0x3e, address, expr64(value), offset)
  }

  storeF64(address: I32, value: Expr<"f64">, offset = 0): void {
    this.storeOp(0x39, address, value, offset)
  }

  private enter(opcode: number, body: (label: Label) => void): void {
    this.code.byte(opcode)
    this.code.byte(0x40)
    this.level++
    body({ level: this.level })
    this.level--
    this.code.byte(0x0b)
  }

  /** A block; a branch to its label leaves it. */
  block(body: (end: Label) => void): void {
    this.enter(0x02, body)
  }

  /** A loop; a branch to its label starts it again, falling off its end leaves it. */
  loop(body: (again: Label) => void): void {
    this.enter(0x03, body)
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    expr32(condition).write(this.code)
    this.code.byte(0x04)
    this.code.byte(0x40)
    this.level++
    then()
    if (otherwise) {
      this.code.byte(0x05)
      otherwise()
    }
    this.level--
    this.code.byte(0x0b)
  }

  private depth(label: Label): number {
    if (label.level > this.level) throw new Error("branch to a label that is not around it")
    return this.level - label.level
  }

  br(label: Label): void {
    this.code.byte(0x0c)
    this.code.unsigned(this.depth(label))
  }

  brIf(label: Label, condition: I32): void {
    expr32(condition).write(this.code)
    this.code.byte(0x0d)
    this.code.unsigned(this.depth(label))
  }

  /** To the `index`-th label, or `otherwise` when there is none. */
  brTable(index: Expr<"i32">, labels: readonly Label[], otherwise: Label): void {
    index.write(this.code)
    this.code.byte(0x0e)
    this.code.unsigned(labels.length)
    for (const label of [...labels, otherwise]) this.code.unsigned(this.depth(label))
  }

  /**
   * A jump table: `cases[index]()`, or `otherwise()` when there is none. A case that falls off its end goes on after the switch.
   * Cases that are the same function share one body.
   */
  switch(index: Expr<"i32">, cases: readonly (() => void)[], otherwise: () => void): void {
    const bodies = [...new Set([...cases, otherwise])]
    this.block(end => {
      const labels = new Map<() => void, Label>()
      const nest = (position: number): void => {
        if (position < 0) {
          const of = (body: () => void) => labels.get(body)!
          this.brTable(index, cases.map(of), of(otherwise))
          return
        }
        this.block(label => {
          labels.set(bodies[position]!, label)
          nest(position - 1)
        })
        bodies[position]!()
        if (position < bodies.length - 1) this.br(end)
      }
      nest(bodies.length - 1)
    })
  }

  return(value?: Expr): void {
    value?.write(this.code)
    this.code.byte(0x0f)
  }

  unreachable(): void {
    this.code.byte(0x00)
  }

  drop(value: Expr): void {
    value.write(this.code)
    this.code.byte(0x1a)
  }

  /** Calls a function for its effect; a value it gives is dropped. */
  call(callee: FunctionRef, ...args: readonly Expr[]): void {
    for (const arg of args) arg.write(this.code)
    this.code.byte(0x10)
    this.code.unsigned(callee.index)
    if (callee.type.result !== null) this.code.byte(0x1a)
  }

  /** Leaves this function by jumping to `callee` (tail calls). */
  returnCall(callee: FunctionRef, ...args: readonly Expr[]): void {
    for (const arg of args) arg.write(this.code)
    this.code.byte(0x12)
    this.code.unsigned(callee.index)
  }

  /** Leaves this function by jumping into `table[index]` (tail calls, section 5.4.1). */
  returnCallIndirect(table: TableRef, type: TypeRef, index: Expr<"i32">, ...args: readonly Expr[]): void {
    for (const arg of args) arg.write(this.code)
    index.write(this.code)
    this.code.byte(0x13)
    this.code.unsigned(type.index)
    this.code.unsigned(table.index)
  }

  /** `memory.fill(address, byte, length)`. */
  memoryFill(address: I32, byte: I32, length: I32): void {
    for (const arg of [address, byte, length]) expr32(arg).write(this.code)
    this.code.raw([0xfc, 11, 0])
  }

  /** `memory.copy(to, from, length)`. */
  memoryCopy(to: I32, from: I32, length: I32): void {
    for (const arg of [to, from, length]) expr32(arg).write(this.code)
    this.code.raw([0xfc, 10, 0, 0])
  }

  /** The function's entry of the code section. */
  encode(): Uint8Array {
    if (this.level !== 0) throw new Error("a block was left open")
    const body = new Bytes()
    const runs: { type: ValueType; count: number }[] = []
    for (const type of this.localTypes) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    body.unsigned(runs.length)
    for (const run of runs) {
      body.unsigned(run.count)
      body.byte(valueTypeCode[run.type])
    }
    body.raw(this.code.view())
    body.byte(0x0b)
    return body.copy()
  }
}
