/** The part of the WebAssembly JavaScript interface this project uses; the DOM library that declares it whole is left out. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number })
    readonly buffer: ArrayBuffer
  }
  class Table {
    constructor(descriptor: { element: "anyfunc"; initial: number; maximum?: number })
    readonly length: number
    grow(by: number): number
    set(index: number, value: unknown): void
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    static imports(module: Module): { readonly module: string; readonly name: string }[]
    static exports(module: Module): { readonly name: string }[]
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
}
