/** Typed WebAssembly expressions, function bodies and the module encoder. Knows nothing of RISC-V. */
export {
  call,
  callI32,
  callI64,
  callIndirectI64,
  type Expr,
  type F32,
  type F64,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
} from "./expression.ts"
export { FunctionBuilder, type Label } from "./function.ts"
export { type FunctionRef, ModuleBuilder, type TableRef, type TypeRef } from "./module.ts"
export type { FunctionType, ValueType } from "./types.ts"
