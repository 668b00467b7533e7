/** Flags of written memory, by lines: set by whatever writes, on the fast path too. */
import { type Expr, type FunctionBuilder, i32 } from "../wasm/index.ts"
import { LINE_SHIFT, LINE_WRITTEN } from "./layout.ts"

/** Notes that the line at `host` of this memory, in RAM, is written. */
export const markLine = (f: FunctionBuilder, host: Expr<"i32">): void =>
  f.storeI32As8(i32.shru(host, LINE_SHIFT), 1, LINE_WRITTEN)

/** The same for `bytes` bytes, at most as many as a line has. */
export const markLines = (f: FunctionBuilder, host: Expr<"i32">, bytes: Expr<"i32">): void => {
  markLine(f, host)
  markLine(f, i32.add(host, i32.sub(bytes, 1)))
}
