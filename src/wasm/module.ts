/** A WebAssembly module under construction and its binary form. WebAssembly core specification, section 5.5. */
import { Bytes } from "./bytes.ts"
import { FunctionBuilder } from "./function.ts"
import { type FunctionType, valueTypeCode } from "./types.ts"

/** A function of the module, callable before its body is written. */
export interface FunctionRef {
  readonly name: string
  readonly index: number
  readonly type: FunctionType
}

export interface TypeRef {
  readonly index: number
}

export interface TableRef {
  readonly index: number
}

interface DefinedFunction extends FunctionRef {
  readonly typeIndex: number
  readonly builder: FunctionBuilder
  exported: boolean
}

export class ModuleBuilder {
  private readonly types: FunctionType[] = []
  private readonly imports: { module: string; name: string; typeIndex: number }[] = []
  private readonly functions: DefinedFunction[] = []
  private memory: { module: string; name: string; pagesMin: number } | null = null
  private table: { entries: FunctionRef[] } | null = null
  private importedTable: { module: string; name: string } | null = null

  /** The index of a function type, shared between equal types. */
  functionType(type: FunctionType): TypeRef {
    const same = (other: FunctionType) =>
      other.result === type.result &&
      other.params.length === type.params.length &&
      other.params.every((param, at) => param === type.params[at])
    const found = this.types.findIndex(same)
    return { index: found >= 0 ? found : this.types.push(type) - 1 }
  }

  /** Imports a function. All imports come before the first definition. */
  importFunction(module: string, name: string, type: FunctionType): FunctionRef {
    if (this.functions.length > 0) throw new Error("imports come before definitions")
    this.imports.push({ module, name, typeIndex: this.functionType(type).index })
    return { name, index: this.imports.length - 1, type }
  }

  importMemory(module: string, name: string, pagesMin: number): void {
    this.memory = { module, name, pagesMin }
  }

  /** Declares a function; `define` writes its body, now or later. */
  declare(name: string, type: FunctionType, options: { exported?: boolean } = {}): FunctionRef {
    const ref: DefinedFunction = {
      name,
      index: this.imports.length + this.functions.length,
      type,
      typeIndex: this.functionType(type).index,
      builder: new FunctionBuilder(type),
      exported: options.exported ?? false,
    }
    this.functions.push(ref)
    return ref
  }

  define(ref: FunctionRef, body: (f: FunctionBuilder) => void): void {
    const found = this.functions[ref.index - this.imports.length]
    if (found === undefined || found.name !== ref.name) throw new Error(`${ref.name} is not a function of this module`)
    if (found.builder.code.length > 0) throw new Error(`${ref.name} is defined twice`)
    body(found.builder)
  }

  export(ref: FunctionRef): void {
    this.functions[ref.index - this.imports.length]!.exported = true
  }

  /** Exported functions with their types. */
  get exportedTypes(): ReadonlyMap<string, FunctionType> {
    return new Map(this.functions.filter(({ exported }) => exported).map(({ name, type }) => [name, type]))
  }

  /** Declares and defines. */
  function(
    name: string,
    type: FunctionType,
    body: (f: FunctionBuilder) => void,
    options: { exported?: boolean } = {},
  ): FunctionRef {
    const ref = this.declare(name, type, options)
    this.define(ref, body)
    return ref
  }

  /** The module's one table, filled with these functions from index 0. */
  functionTable(entries: readonly FunctionRef[]): TableRef {
    if (this.table || this.importedTable) throw new Error("one table a module")
    this.table = { entries: [...entries] }
    return { index: 0 }
  }

  /** Imports the module's one table, of functions. */
  importTable(module: string, name: string): TableRef {
    if (this.table || this.importedTable) throw new Error("one table a module")
    this.importedTable = { module, name }
    return { index: 0 }
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new Bytes()
    out.raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00])
    out.section(1, s => {
      s.unsigned(this.types.length)
      for (const type of this.types) {
        s.byte(0x60)
        s.unsigned(type.params.length)
        for (const param of type.params) s.byte(valueTypeCode[param])
        s.unsigned(type.result === null ? 0 : 1)
        if (type.result !== null) s.byte(valueTypeCode[type.result])
      }
    })
    out.section(2, s => {
      s.unsigned(this.imports.length + (this.memory ? 1 : 0) + (this.importedTable ? 1 : 0))
      for (const entry of this.imports) {
        s.name(entry.module)
        s.name(entry.name)
        s.byte(0x00)
        s.unsigned(entry.typeIndex)
      }
      if (this.memory) {
        s.name(this.memory.module)
        s.name(this.memory.name)
        s.byte(0x02)
        s.byte(0x00)
        s.unsigned(this.memory.pagesMin)
      }
      if (this.importedTable) {
        s.name(this.importedTable.module)
        s.name(this.importedTable.name)
        s.byte(0x01)
        s.byte(0x70)
        s.byte(0x00)
        s.unsigned(0)
      }
    })
    out.section(3, s => {
      s.unsigned(this.functions.length)
      for (const entry of this.functions) s.unsigned(entry.typeIndex)
    })
    const table = this.table
    if (table)
      out.section(4, s => {
        s.unsigned(1)
        s.byte(0x70)
        s.byte(0x01)
        s.unsigned(table.entries.length)
        s.unsigned(table.entries.length)
      })
    const exported = this.functions.filter(entry => entry.exported)
    out.section(7, s => {
      s.unsigned(exported.length)
      for (const entry of exported) {
        s.name(entry.name)
        s.byte(0x00)
        s.unsigned(entry.index)
      }
    })
    if (table)
      out.section(9, s => {
        s.unsigned(1)
        s.unsigned(0)
        s.raw([0x41, 0x00, 0x0b])
        s.unsigned(table.entries.length)
        for (const entry of table.entries) s.unsigned(entry.index)
      })
    out.section(10, s => {
      s.unsigned(this.functions.length)
      for (const entry of this.functions) {
        const body = entry.builder.encode()
        s.unsigned(body.length)
        s.raw(body)
      }
    })
    out.section(0, s => {
      s.name("name")
      s.section(1, names => {
        names.unsigned(this.functions.length)
        for (const entry of this.functions) {
          names.unsigned(entry.index)
          names.name(entry.name)
        }
      })
    })
    return out.copy()
  }
}
