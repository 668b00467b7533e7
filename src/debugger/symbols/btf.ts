/**
 * Types of a program as the BPF Type Format has them, for the layout of structs.
 *
 * Format: BTF version 1, little-endian (Linux Documentation/bpf/btf.rst, include/uapi/linux/btf.h), kinds 1 to 19. Offsets and sizes are
 * in bytes unless they are called bits.
 */
import { Buffer } from "node:buffer"
import { kernelPhysical, type LinuxKernel, type ReadPhysical } from "./linux-kernel.ts"
import type { SymbolTable } from "./symbol-table.ts"

/** Kinds of types by their number, with the bytes that follow a type's common part: so many, and so many for each of its elements. */
const kinds = [
  ["void", 0, 0],
  ["int", 4, 0],
  ["pointer", 0, 0],
  ["array", 12, 0],
  ["struct", 0, 12],
  ["union", 0, 12],
  ["enum", 0, 8],
  ["forward", 0, 0],
  ["typedef", 0, 0],
  ["volatile", 0, 0],
  ["const", 0, 0],
  ["restrict", 0, 0],
  ["function", 0, 0],
  ["prototype", 0, 8],
  ["variable", 4, 0],
  ["section", 0, 12],
  ["float", 0, 0],
  ["declaration tag", 4, 0],
  ["type tag", 0, 0],
  ["enum64", 0, 12],
] as const

export type BtfKind = (typeof kinds)[number][0]

export interface BtfMember {
  readonly name: string
  /** From the start of the outermost struct to the byte the member begins in. */
  readonly offset: number
  /** The bit of that byte it begins with; not 0 only for a bit field. */
  readonly bitOffset: number
  readonly bits: number
  /** Its type: what is behind a name, `const`, `volatile` and the like. `size` is that of the type, also for a bit field. */
  readonly kind: BtfKind
  readonly size: number
}

export interface BtfStruct {
  readonly name: string
  readonly size: number
  /** Members of unnamed structs and unions among them are members like the others. */
  readonly members: ReadonlyMap<string, BtfMember>
}

const MAGIC = 0xeb9f
const VERSION = 1
const HEADER_BYTES = 24
const TYPE_BYTES = 12
const MEMBER_BYTES = 12
const POINTER_BYTES = 8
/** Types in types in types: more is a circle in damaged data. */
const DEPTH_MAX = 64

/** One type's common part. */
interface Type {
  /** Where the rest of it stands. */
  readonly tail: number
  readonly name: number
  readonly kind: BtfKind
  readonly count: number
  readonly flag: boolean
  /** A size or another type, as the kind has it. */
  readonly sizeOrType: number
}

export class Btf {
  private readonly view: DataView
  private readonly strings: Buffer
  /** Where each type stands; type 0 is `void`. */
  private readonly types: readonly number[]

  private constructor(view: DataView, strings: Buffer, types: readonly number[]) {
    this.view = view
    this.strings = strings
    this.types = types
  }

  /** null unless `bytes` begin with a whole BTF of a form that is known. They must not change afterwards. */
  static read(bytes: Uint8Array): Btf | null {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < HEADER_BYTES || view.getUint16(0, true) !== MAGIC || view.getUint8(2) !== VERSION) return null
    const header = view.getUint32(4, true)
    const start = header + view.getUint32(8, true)
    const end = start + view.getUint32(12, true)
    const strings = header + view.getUint32(16, true)
    const stringsEnd = strings + view.getUint32(20, true)
    if (end > bytes.length || stringsEnd > bytes.length) return null
    const types = [0]
    for (let at = start; at < end; ) {
      if (at + TYPE_BYTES > end) return null
      const kind = kinds[kindNumber(view, at)]
      if (kind === undefined) return null
      types.push(at)
      at += TYPE_BYTES + kind[1] + kind[2] * elementCount(view, at)
      if (at > end) return null
    }
    return new Btf(view, Buffer.from(bytes.buffer, bytes.byteOffset + strings, stringsEnd - strings), types)
  }

  /** The first struct of that name that is laid out here, or null. */
  struct(name: string): BtfStruct | null {
    const wanted = Buffer.from(`${name}\0`)
    for (let id = 1; id < this.types.length; id++) {
      const type = typeAt(this.view, this.types[id]!)
      if (type.kind !== "struct" || type.name === 0) continue
      if (!this.strings.subarray(type.name, type.name + wanted.length).equals(wanted)) continue
      const members = new Map<string, BtfMember>()
      this.addMembers(type, 0, members, 0)
      return { name, size: type.sizeOrType, members }
    }
    return null
  }

  /** Adds the members of a struct or union that begins at a bit of the outermost one. */
  private addMembers(type: Type, startBits: number, members: Map<string, BtfMember>, depth: number): void {
    if (depth > DEPTH_MAX) return
    for (let at = type.tail; at < type.tail + type.count * MEMBER_BYTES; at += MEMBER_BYTES) {
      const name = this.string(this.view.getUint32(at, true))
      const resolved = this.resolve(this.view.getUint32(at + 4, true))
      const packed = this.view.getUint32(at + 8, true)
      const fieldBits = type.flag ? packed >>> 24 : 0
      const bitAt = startBits + (type.flag ? packed & 0xff_ffff : packed)
      if (name === "" && (resolved.kind === "struct" || resolved.kind === "union"))
        this.addMembers(resolved, bitAt, members, depth + 1)
      else if (name !== "" && !members.has(name)) members.set(name, this.member(name, resolved, bitAt, fieldBits))
    }
  }

  private member(name: string, type: Type, bitAt: number, fieldBits: number): BtfMember {
    const size = this.sizeOf(type, 0)
    const integer = type.kind === "int" ? this.view.getUint32(type.tail, true) : null
    // A bit field has its place and width from its member or, in an older form, from its integer type.
    const start = bitAt + (integer === null ? 0 : (integer >>> 16) & 0xff)
    return {
      name,
      offset: Math.floor(start / 8),
      bitOffset: start % 8,
      bits: fieldBits || (integer === null ? size * 8 : integer & 0xff),
      kind: type.kind,
      size,
    }
  }

  /** The type behind names and qualifiers. */
  private resolve(id: number): Type {
    let type = this.type(id)
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      if (!qualifiers.has(type.kind)) break
      type = this.type(type.sizeOrType)
    }
    return type
  }

  private sizeOf(type: Type, depth: number): number {
    if (depth > DEPTH_MAX) return 0
    if (type.kind === "pointer") return POINTER_BYTES
    if (type.kind === "array") {
      const element = this.resolve(this.view.getUint32(type.tail, true))
      return this.view.getUint32(type.tail + 8, true) * this.sizeOf(element, depth + 1)
    }
    return sized.has(type.kind) ? type.sizeOrType : 0
  }

  private type(id: number): Type {
    const at = id === 0 ? undefined : this.types[id]
    return at === undefined ? VOID : typeAt(this.view, at)
  }

  private string(start: number): string {
    return this.strings.toString("utf8", start, this.strings.indexOf(0, start))
  }
}

const qualifiers: ReadonlySet<BtfKind> = new Set(["typedef", "volatile", "const", "restrict", "type tag"])
const sized: ReadonlySet<BtfKind> = new Set(["int", "struct", "union", "enum", "float", "enum64"])

const VOID: Type = { tail: 0, name: 0, kind: "void", count: 0, flag: false, sizeOrType: 0 }

const kindNumber = (view: DataView, at: number): number => view.getUint8(at + 7) & 0x1f

const elementCount = (view: DataView, at: number): number => view.getUint16(at + 4, true)

/** Precondition: the kind of the type that stands there is one of those there are. */
const typeAt = (view: DataView, at: number): Type => ({
  tail: at + TYPE_BYTES,
  name: view.getUint32(at, true),
  kind: kinds[kindNumber(view, at)]![0],
  count: elementCount(view, at),
  flag: view.getUint8(at + 7) >>> 7 === 1,
  sizeOrType: view.getUint32(at + 8, true),
})

/** The types a kernel has of itself, or null when it was built without. */
export const kernelBtf = (kernel: LinuxKernel, symbols: SymbolTable, read: ReadPhysical): Btf | null => {
  const [start, stop] = [symbols.find("__start_BTF"), symbols.find("__stop_BTF")]
  if (!start || !stop || stop.address <= start.address) return null
  const physical = kernelPhysical(kernel.mapping, start.address)
  const bytes = physical === null ? null : read(physical, Number(stop.address - start.address))
  return bytes && Btf.read(bytes.slice())
}
