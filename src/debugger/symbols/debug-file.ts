/** All that a program's file says to a debugger, each part read when it is first asked for. */
import type { AddressRange } from "./address-index.ts"
import { CallFrameTable } from "./call-frame-table.ts"
import { DebugInfo } from "./debug-info.ts"
import { ElfFile } from "./elf-file.ts"
import { type FunctionInfo, Functions } from "./functions.ts"
import type { Scope } from "./scopes.ts"
import { SourceLines } from "./source-lines.ts"
import { Variables } from "./variables.ts"

/** How many bytes of a function a kernel keeps for patching itself (-fpatchable-function-entry), at most. */
const MAX_PATCH = 32n

/** Addresses are those written in the file. */
export class DebugFile {
  readonly elf: ElfFile
  private readonly parts: {
    info?: DebugInfo
    lines?: SourceLines
    functions?: Functions
    variables?: Variables
    frames?: CallFrameTable
  } = {}

  /** @throws ProgramUnusable unless these are the bytes of a linked RV64 program. */
  constructor(bytes: Uint8Array) {
    this.elf = new ElfFile(bytes)
  }

  /** False if only symbols are there: then there are no lines, no functions and no variables. */
  get hasDebugInfo(): boolean {
    return this.elf.section(".debug_info").bytes.length > 0
  }

  get lines(): SourceLines {
    this.parts.lines ??= new SourceLines(this.info)
    return this.parts.lines
  }

  get functions(): Functions {
    this.parts.functions ??= new Functions(this.info, this.lines)
    return this.parts.functions
  }

  get variables(): Variables {
    this.parts.variables ??= new Variables(this.info, this.functions)
    return this.parts.variables
  }

  get frames(): CallFrameTable {
    this.parts.frames ??= new CallFrameTable(this.elf)
    return this.parts.frames
  }

  private get info(): DebugInfo {
    this.parts.info ??= new DebugInfo(this.elf)
    return this.parts.info
  }

  /**
   * Where breakpoints on a function go, behind what sets up its frame. Several where files of a program use the same name, or where
   * its code was put into other functions.
   */
  breakpointsAtFunction(name: string): bigint[] {
    const addresses = this.elf.variantsNamed(name).flatMap(symbol => {
      if (symbol.kind === "object") return []
      const known = this.functionFrom(symbol.address, name)
      if (known === null) return symbol.name === name ? [symbol.address] : []
      return known.entry >= symbol.address ? [this.functions.afterPrologue(known)] : []
    })
    const inlined = this.hasDebugInfo ? this.functions.inlinedStarts(name) : []
    return [...new Set([...addresses, ...inlined])]
  }

  /**
   * Where breakpoints on a line go: one for each block or inlined call that has code of the line, behind what sets up a
   * function's frame. None if there is no code of that line.
   */
  breakpointsAtLine(file: string, line: number): bigint[] {
    const seen = new Set<Scope | undefined>()
    const first = this.lines.addressesOfLine(file, line).filter(address => {
      const scope = this.functions.scopesAt(address).at(-1)
      if (scope !== undefined && seen.has(scope)) return false
      seen.add(scope)
      return true
    })
    return [...new Set(first.map(address => this.bodyAddress(address)))]
  }

  /** Where the function at an address lies and what it is called: as debug information has it, else the symbols. */
  functionAt(address: bigint): ({ readonly name: string } & AddressRange) | null {
    const known = this.functions.at(address)
    if (known !== null) {
      const range = known.ranges.find(({ start, end }) => address >= start && address < end)
      if (range !== undefined) return { name: known.name, ...range }
    }
    const symbol = this.elf.symbolAt(address)
    return symbol === null || symbol.kind === "object"
      ? null
      : { name: symbol.name, start: symbol.address, end: symbol.address + symbol.size }
  }

  /**
   * The function at an address; or the one of that name shortly behind it: there may be room for patches before what debug
   * information describes.
   */
  private functionFrom(address: bigint, name: string): FunctionInfo | null {
    for (let room = 0n; room <= MAX_PATCH; room += 2n) {
      const known = this.functions.at(address + room)
      if (known !== null) return room === 0n || known.name === name ? known : null
    }
    return null
  }

  private bodyAddress(address: bigint): bigint {
    const known = this.functions.at(address)
    if (known === null || address < known.entry) return address
    const body = this.functions.afterPrologue(known)
    return address < body ? body : address
  }
}
