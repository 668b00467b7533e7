/**
 * Variables that can be seen from an address, and their values in a stopped program.
 *
 * Specification: DWARF 5, sections 3.3.8 (inlined calls), 3.4 (call sites), 4.1 (variables).
 */
import { Buffer } from "node:buffer"
import { expressionAt } from "./address-lists.ts"
import { type CType, fixedSize, Types, typeName } from "./c-type.ts"
import type { DebugInfo, Entry } from "./debug-info.ts"
import { Attribute, Tag } from "./dwarf-numbers.ts"
import { type ExpressionContext, evaluate, evaluateNumber, type Location } from "./expression.ts"
import { bytesOf, type FrameState, readNumber } from "./frame-state.ts"
import type { Functions } from "./functions.ts"
import { type DisplayedValue, type ValueContext, valueAt } from "./value.ts"

export interface Variable {
  readonly name: string
  readonly typeName: string
  readonly isParameter: boolean
  /** The full path and line of the declaration; null and 0 if not known. */
  readonly file: string | null
  readonly line: number
  /** Its entry, by which its value is found. */
  readonly entry: Entry
}

/** Parameters in their order; locals with those of the innermost block first, which hide others of the same name. */
export interface VisibleVariables {
  readonly parameters: readonly Variable[]
  readonly locals: readonly Variable[]
}

export class Variables {
  private readonly info: DebugInfo
  private readonly functions: Functions
  private readonly types = new Types()
  private entriesByName: ReadonlyMap<string, readonly Entry[]> | null = null

  constructor(info: DebugInfo, functions: Functions) {
    this.info = info
    this.functions = functions
  }

  /**
   * What can be seen from the code at an address of the file. `level` is one of `Functions.placesAt`: 0 for the innermost inlined
   * call, the last one for the function that holds the code.
   */
  visible(address: bigint, level = 0): VisibleVariables {
    const scopes = this.functions.scopesAt(address)
    const calls = scopes.flatMap((scope, index) => (scope.kind === "block" ? [] : [index]))
    const call = calls.at(-1 - level)
    if (call === undefined) return { parameters: [], locals: [] }
    const innerCall = level === 0 ? undefined : calls.at(-level)
    const entries = scopes
      .slice(call, innerCall)
      .reverse()
      .flatMap(({ variables }) => variables)
    return {
      parameters: this.variablesOf(entries.filter(({ tag }) => tag === Tag.formal_parameter)),
      locals: this.variablesOf(entries.filter(({ tag }) => tag === Tag.variable)),
    }
  }

  /** Variables outside of functions that the source file with the code at an address defines or declares. */
  globals(address: bigint): Variable[] {
    const unit = this.info.unitAt(address)
    if (unit === null) return []
    const entries = this.functions.scopesOf(unit).globals
    const defined = new Set(entries.map(entry => entry.reference(Attribute.specification)?.offset))
    return this.variablesOf(entries.filter(({ offset }) => !defined.has(offset)))
  }

  /** Those of that name that any source file defines, in the order of the files. */
  globalsNamed(name: string): Variable[] {
    this.entriesByName ??= this.indexGlobals()
    return this.variablesOf(this.entriesByName.get(name) ?? [])
  }

  /** The names that `globalsNamed` knows. */
  get globalNames(): Iterable<string> {
    this.entriesByName ??= this.indexGlobals()
    return this.entriesByName.keys()
  }

  private indexGlobals(): ReadonlyMap<string, readonly Entry[]> {
    const byName = new Map<string, Entry[]>()
    for (const unit of this.info.searchedUnits)
      for (const entry of this.functions.scopesOf(unit).globals) {
        const { name } = entry
        if (name === null || entry.flag(Attribute.declaration)) continue
        const same = byName.get(name)
        if (same === undefined) byName.set(name, [entry])
        else same.push(entry)
      }
    return byName
  }

  /**
   * A variable's value.
   * @throws DebugInfoDamaged where its description contradicts itself.
   */
  read(variable: Variable, frame: FrameState): DisplayedValue {
    const { entry } = variable
    const type = this.types.typeOf(entry)
    return valueAt(variable.name, type, this.locationOf(entry, type, frame), this.valueContext(frame))
  }

  private variablesOf(entries: readonly Entry[]): Variable[] {
    return entries.flatMap(entry => {
      const { name } = entry
      if (name === null) return []
      return [
        {
          name,
          typeName: typeName(this.types.typeOf(entry)),
          isParameter: entry.tag === Tag.formal_parameter,
          file: entry.inherited(origin => this.functions.fileOf(origin, Attribute.decl_file)),
          line: entry.inherited(origin => origin.number(Attribute.decl_line)) ?? 0,
          entry,
        },
      ]
    })
  }

  private locationOf(entry: Entry, type: CType, frame: FrameState): Location | null {
    const constant = entry.inherited(origin => origin.constant(Attribute.const_value))
    if (constant !== null) return { kind: "bytes", bytes: bytesOf(constant, Math.min(fixedSize(type) ?? 8, 16)) }
    const block = entry.inherited(origin => origin.block(Attribute.const_value))
    if (block !== null) return { kind: "bytes", bytes: block }
    const text = entry.inherited(origin => origin.text(Attribute.const_value))
    if (text !== null) return { kind: "bytes", bytes: new TextEncoder().encode(`${text}\0`) }
    const expression = entry.inherited(origin =>
      expressionAt(origin, Attribute.location, frame.codeAddress - frame.bias),
    )
    if (expression !== null) return expression.length === 0 ? null : evaluate(expression, this.context(entry, frame))
    // What another source file defines has an address there.
    if (!entry.inherited(origin => origin.flag(Attribute.declaration) || null)) return null
    const symbol = this.info.elf.symbolsNamed(entry.name ?? "").find(({ isGlobal }) => isGlobal)
    return symbol === undefined ? null : { kind: "memory", address: BigInt.asUintN(64, symbol.address + frame.bias) }
  }

  private valueContext(frame: FrameState): ValueContext {
    const { elf } = this.info
    return {
      memory: (address, length) => frame.memory(address, length),
      register: number => frame.register(number),
      nameAt: address => {
        const file = BigInt.asUintN(64, address - frame.bias)
        const symbol = elf.symbolAt(file)
        if (symbol === null) return null
        return symbol.address === file ? symbol.name : `${symbol.name}+${file - symbol.address}`
      },
      arrayCount: dimension => this.arrayCount(dimension, frame),
    }
  }

  /** The last index of a dimension is an expression, or a variable that the compiler made. */
  private arrayCount(dimension: Entry, frame: FrameState): number | null {
    const variable = dimension.reference(Attribute.upper_bound)
    let last: bigint | null = null
    if (variable !== null) {
      const location = this.locationOf(variable, this.types.typeOf(variable), frame)
      const size = Math.min(fixedSize(this.types.typeOf(variable)) ?? 8, 8)
      if (location?.kind === "value") last = location.value
      else if (location?.kind === "register") last = frame.register(location.number)
      else if (location?.kind === "memory") last = readNumber(frame, location.address, size)
    } else {
      const expression = dimension.block(Attribute.upper_bound)
      last = expression === null ? null : evaluateNumber(expression, this.context(dimension, frame))
    }
    return last === null ? null : Math.max(0, Number(BigInt.asIntN(64, last)) + 1)
  }

  private context(entry: Entry, frame: FrameState): ExpressionContext {
    const context: ExpressionContext = {
      unit: entry.unit,
      bias: frame.bias,
      register: number => frame.register(number),
      memory: (address, length) => frame.memory(address, length),
      cfa: () => frame.cfa(),
      frameBase: () => {
        const holder = this.functions.scopesAt(frame.codeAddress - frame.bias)[0]
        if (holder === undefined) return null
        const base = expressionAt(holder.entry, Attribute.frame_base, frame.codeAddress - frame.bias)
        return base === null ? null : evaluateNumber(base, { ...context, frameBase: () => null })
      },
      entryValue: expression => this.entryValue(expression, frame),
    }
    return context
  }

  /** What the caller gave: its code says how to compute that again after the call. */
  private entryValue(expression: Uint8Array, frame: FrameState): bigint | null {
    const caller = frame.caller()
    if (caller === null || caller.bias !== frame.bias) return null
    const callee = this.functions.scopesAt(frame.codeAddress - frame.bias)[0]?.entry.name
    const returned = caller.pc - caller.bias
    for (const { callSites } of this.functions.scopesAt(caller.codeAddress - caller.bias))
      for (const site of callSites) {
        const isIt = (site.address(Attribute.call_return_pc) ?? site.address(Attribute.low_pc)) === returned
        const called = site.reference(Attribute.call_origin) ?? site.reference(Attribute.abstract_origin)
        // A function that was called by a jump from another one was given what that one knew.
        if (!isIt || called === null || called.name !== callee) continue
        for (const parameter of site.children()) {
          const value = parameter.block(Attribute.call_value) ?? parameter.block(Attribute.GNU_call_site_value)
          const given = parameter.block(Attribute.location)
          if (value !== null && given !== null && Buffer.compare(given, expression) === 0)
            return evaluateNumber(value, this.context(site, caller))
        }
      }
    return null
  }
}
