/** What a debugger asks of the programs that a guest runs: where in the source it stands, and by which calls it got there. */
import type { DisplayedValue } from "./symbols/value.ts"

/** Where in the source an instruction belongs. */
export interface SourcePlace {
  /** A full path, if the compiler was told it. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1; 0: the whole line. */
  readonly column: number
  /** In how many functions it lies that the compiler put into another one. */
  readonly depth: number
}

/** Code of one function. */
export interface SourceFunction {
  readonly name: string
  /** Where calls go to. */
  readonly entry: bigint
  /** Behind what sets up its frame. */
  readonly body: bigint
  /** Where statements begin, those before `body` left out. */
  readonly statements: readonly bigint[]
  /** Instructions that call, and go on behind. */
  readonly calls: readonly bigint[]
}

/** One level of the calls in which a hart stands, the inlined ones too. */
export interface SourceFrame {
  /** null where it is not known. */
  readonly name: string | null
  /** Where it goes on. */
  readonly pc: bigint
  /** Of the instruction that it executes. */
  readonly place: Omit<SourcePlace, "depth"> | null
  /** The compiler put it into the next one. */
  readonly isInlined: boolean
  /** The stack pointer of its caller, null where it is not known. */
  readonly cfa: bigint | null
  /** x0 to x31 are 0 to 31, f0 to f31 are 32 to 63; null: not known any more. */
  readonly register: (number: number) => bigint | null
  /** Parameters and variables that can be seen. */
  readonly locals: () => readonly DisplayedValue[]
  /** Variables outside of functions in the same source file. */
  readonly globals: () => readonly DisplayedValue[]
  /** A variable outside of functions in any source file of the program; null where there is none of that name. */
  readonly global: (name: string) => DisplayedValue | null
}

/** Where a function returns to. */
export interface SourceReturn {
  readonly address: bigint
  /** The stack pointer there; the least it can be where it was looked for on the stack only. */
  readonly stack: bigint
  readonly isCertain: boolean
}

/** Where a breakpoint on a line goes. */
export interface LinePlaces {
  readonly file: string
  /** The line asked for, or the next one that has code. */
  readonly line: number
  readonly addresses: readonly bigint[]
}

export interface SourceView {
  /** Full paths. */
  readonly files: readonly string[]
  /** null where no line is known. */
  place(address: bigint): SourcePlace | null
  /** null where no function is known, or one of which no line is. */
  functionAt(address: bigint): SourceFunction | null
  /** null where no program was compiled from such a file, or there is no code from that line on. */
  lineAt(path: string, line: number): LinePlaces | null
  /** Where breakpoints on a function go; none: there is no such function. */
  functionNamed(name: string): readonly bigint[]
  /** Names of the variables that can be seen from an address. */
  variableNames(address: bigint): ReadonlySet<string>
  /** The innermost first, the physical ones among them as far as callers can be found. */
  frames(hart: number, limit: number): readonly SourceFrame[]
  /** The stack pointer of the innermost function's caller, null where it is not known. */
  cfa(hart: number): bigint | null
  /** Where the innermost function returns to; null where that is not known. */
  returnOf(hart: number): SourceReturn | null
}
