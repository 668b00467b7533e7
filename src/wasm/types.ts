/** WebAssembly value types. Core specification, section 2.3 (Types). */
export type ValueType = "i32" | "i64" | "f32" | "f64"

/** The byte that stands for each value type in the binary format (section 5.3.1). */
export const valueTypeCode: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }

/** The type of a function: what it takes and the at most one value it gives. */
export interface FunctionType {
  readonly params: readonly ValueType[]
  readonly result: ValueType | null
}
