/** Types of values, read from their entries when asked for, and how C writes them. DWARF 5, chapter 5. */
import type { Entry } from "./debug-info.ts"
import { Attribute, Encoding, Tag } from "./dwarf-numbers.ts"

/** What a type refers to is read late, as types may refer to themselves. Sizes are in bytes. */
export type CType =
  | { readonly kind: "base"; readonly name: string; readonly size: number; readonly encoding: number }
  | { readonly kind: "pointer"; readonly size: number; readonly sign: "*" | "&" | "&&"; readonly target: () => CType }
  /** `size` is null where the type is only declared. `name` is with `struct`, as the language wants it. */
  | {
      readonly kind: "record"
      readonly name: string
      readonly size: number | null
      readonly members: () => readonly Member[]
    }
  /** `entry` is what says how many elements there are. */
  | { readonly kind: "array"; readonly element: () => CType; readonly entry: Entry }
  | {
      readonly kind: "enumeration"
      readonly name: string
      readonly size: number
      readonly names: () => readonly Enumerator[]
    }
  | { readonly kind: "function"; readonly result: () => CType; readonly parameters: () => readonly (CType | "...")[] }
  | { readonly kind: "alias"; readonly name: string; readonly target: () => CType }
  | { readonly kind: "qualified"; readonly word: string; readonly target: () => CType }
  | { readonly kind: "void" }
  | { readonly kind: "unknown" }

export interface Member {
  /** Empty for a struct or union without a name, whose members are used as if they were the outer one's. */
  readonly name: string
  readonly type: CType
  /** In bits from the beginning of the record; `bitSize` is null for a member that is no bit-field. */
  readonly bitOffset: number
  readonly bitSize: number | null
}

export interface Enumerator {
  readonly name: string
  readonly value: bigint
}

/** How many types may stand around one before that is damage. */
const MAX_DEPTH = 64

/** Languages (DW_LANG) in which struct, union and enum are said before the name: C of 1989, 1999, 2011, 2017, and before. */
const saysStruct = new Set([0x01, 0x02, 0x0c, 0x1d, 0x2c])

const pointerSigns: Readonly<Record<number, "*" | "&" | "&&">> = {
  [Tag.pointer_type]: "*",
  [Tag.reference_type]: "&",
  [Tag.rvalue_reference_type]: "&&",
}

const qualifiers: Readonly<Record<number, string>> = {
  [Tag.const_type]: "const",
  [Tag.volatile_type]: "volatile",
  [Tag.restrict_type]: "restrict",
  [Tag.atomic_type]: "_Atomic",
}

const keywords: Readonly<Record<number, string>> = {
  [Tag.structure_type]: "struct",
  [Tag.class_type]: "class",
  [Tag.union_type]: "union",
  [Tag.enumeration_type]: "enum",
}

/** The types of one program; each entry is read once. */
export class Types {
  private readonly known = new Map<number, CType>()

  /** The type an entry has; without the attribute it has none (void), and one in another file is not known. */
  typeOf(entry: Entry): CType {
    const holder = entry.inherited(origin => (origin.has(Attribute.type) ? origin : null))
    if (holder === null) return { kind: "void" }
    const type = holder.reference(Attribute.type)
    return type === null ? { kind: "unknown" } : this.read(type.reference(Attribute.signature) ?? type)
  }

  private read(entry: Entry): CType {
    const type = this.known.get(entry.offset) ?? this.make(entry)
    this.known.set(entry.offset, type)
    return type
  }

  private make(entry: Entry): CType {
    const { tag } = entry
    const bytes = entry.number(Attribute.byte_size)
    const size = bytes === null ? null : Math.max(bytes, 0)
    switch (tag) {
      case Tag.base_type: {
        const encoding = entry.number(Attribute.encoding) ?? Encoding.unsigned
        return { kind: "base", name: entry.name ?? "?", size: size ?? 0, encoding }
      }
      case Tag.pointer_type:
      case Tag.reference_type:
      case Tag.rvalue_reference_type:
        return { kind: "pointer", size: size ?? 8, sign: pointerSigns[tag]!, target: () => this.typeOf(entry) }
      case Tag.const_type:
      case Tag.volatile_type:
      case Tag.restrict_type:
      case Tag.atomic_type:
        return { kind: "qualified", word: qualifiers[tag]!, target: () => this.typeOf(entry) }
      case Tag.typedef:
        return { kind: "alias", name: entry.name ?? "?", target: () => this.typeOf(entry) }
      case Tag.structure_type:
      case Tag.class_type:
      case Tag.union_type: {
        const members = once(() => this.membersOf(entry))
        return {
          kind: "record",
          name: taggedName(entry),
          size: entry.flag(Attribute.declaration) ? null : size,
          members,
        }
      }
      case Tag.enumeration_type: {
        const names = once(() => enumeratorsOf(entry))
        return { kind: "enumeration", name: taggedName(entry), size: size ?? 4, names }
      }
      case Tag.array_type:
        return this.arrayOf(entry)
      case Tag.subroutine_type:
        return { kind: "function", result: () => this.typeOf(entry), parameters: once(() => this.parametersOf(entry)) }
      default:
        return { kind: "unknown" }
    }
  }

  /** One array in another for each dimension. */
  private arrayOf(entry: Entry): CType {
    const dimensions = [...entry.children()].filter(({ tag }) => tag === Tag.subrange_type)
    const [outermost, ...inner] = dimensions
    if (outermost === undefined || dimensions.length > MAX_DEPTH) return { kind: "unknown" }
    const element = inner.reduceRight<() => CType>(
      (of, dimension) => () => ({ kind: "array", element: of, entry: dimension }),
      () => this.typeOf(entry),
    )
    return { kind: "array", element, entry: outermost }
  }

  private membersOf(entry: Entry): readonly Member[] {
    return [...entry.children()].flatMap(child => {
      if (child.tag !== Tag.member && child.tag !== Tag.inheritance) return []
      // Static members of C++ lie elsewhere.
      if (child.flag(Attribute.external)) return []
      const type = this.typeOf(child)
      const name = child.tag === Tag.inheritance ? typeName(type) : (child.name ?? "")
      const bitSize = child.number(Attribute.bit_size)
      return [{ name, type, bitOffset: bitOffsetOf(child, bitSize, type), bitSize }]
    })
  }

  private parametersOf(entry: Entry): readonly (CType | "...")[] {
    const parameters = [...entry.children()].flatMap((child): (CType | "...")[] => {
      if (child.tag === Tag.formal_parameter) return [this.typeOf(child)]
      return child.tag === Tag.unspecified_parameters ? ["..."] : []
    })
    return parameters.length === 0 && entry.flag(Attribute.prototyped) ? [{ kind: "void" }] : parameters
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** The name of a struct, union, class or enum as its language writes it. */
function taggedName(entry: Entry): string {
  const keyword = keywords[entry.tag]!
  const { name } = entry
  if (name === null) return `${keyword} {...}`
  return saysStruct.has(entry.unit.root.number(Attribute.language) ?? 0) ? `${keyword} ${name}` : name
}

function enumeratorsOf(entry: Entry): readonly Enumerator[] {
  return [...entry.children()].flatMap(child => {
    const value = child.constant(Attribute.const_value)
    return child.tag === Tag.enumerator && value !== null ? [{ name: child.name ?? "?", value }] : []
  })
}

/** Where a member begins. Before DWARF 5 bit-fields count from the high end of a unit of storage. */
function bitOffsetOf(member: Entry, bitSize: number | null, type: CType): number {
  const direct = member.number(Attribute.data_bit_offset)
  if (direct !== null) return direct
  const fromStart = 8 * (member.number(Attribute.data_member_location) ?? 0)
  const fromHighEnd = member.number(Attribute.bit_offset)
  if (bitSize === null || fromHighEnd === null) return fromStart
  const storage = 8 * (member.number(Attribute.byte_size) ?? fixedSize(type) ?? 0)
  return fromStart + storage - fromHighEnd - bitSize
}

/** What a type is without its names and qualifiers. */
export function plainType(type: CType): CType {
  let plain = type
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (plain.kind !== "alias" && plain.kind !== "qualified") return plain
    plain = plain.target()
  }
  return { kind: "unknown" }
}

/** The size of a type that is no array; null if it has none. */
export function fixedSize(type: CType): number | null {
  const plain = plainType(type)
  return "size" in plain ? plain.size : null
}

/** The number of elements, if it is the same for all arrays of the type. */
export function fixedCount(dimension: Entry): number | null {
  const count = dimension.number(Attribute.count)
  if (count !== null) return Math.max(count, 0)
  const last = dimension.constant(Attribute.upper_bound)
  if (last === null) return null
  // Without a sign -1, for an array with no elements, is the largest number of its size.
  return last < 0n || last === 0xffff_ffffn || last === 0xffff_ffff_ffff_ffffn ? 0 : Number(last) + 1
}

/** A type as C writes it: `int (*)[3]`, `const char *`. */
export const typeName = (type: CType): string => declaration(type, "", 0)

/** Functions among the parameters of functions are written out three deep. */
const parametersText = (parameters: readonly (CType | "...")[], depth: number): string =>
  parameters.map(type => (type === "..." ? type : declaration(type, "", depth + MAX_DEPTH / 3))).join(", ")

/** The declaration of something whose name and signs around it are `inner`. */
function declaration(type: CType, inner: string, depth: number): string {
  if (depth > MAX_DEPTH) return "..."
  const named = (name: string) => (inner === "" ? name : `${name} ${inner.trimStart()}`)
  switch (type.kind) {
    case "base":
    case "record":
    case "enumeration":
    case "alias":
      return named(type.name)
    case "void":
      return named("void")
    case "unknown":
      return named("<unknown type>")
    case "pointer": {
      const target = type.target()
      const signed = `${type.sign}${inner}`
      const needsParentheses = target.kind === "array" || target.kind === "function"
      return declaration(target, needsParentheses ? `(${signed})` : signed, depth + 1)
    }
    case "array":
      return declaration(type.element(), `${inner}[${fixedCount(type.entry) ?? ""}]`, depth + 1)
    case "function":
      return declaration(type.result(), `${inner}(${parametersText(type.parameters(), depth)})`, depth + 1)
    case "qualified": {
      const words = [type.word]
      let target = type.target()
      for (; target.kind === "qualified" && words.length < MAX_DEPTH; target = target.target()) words.push(target.word)
      const sorted = [...new Set(words)].sort().join(" ")
      // What is said of an array is meant of its elements, which may say it too.
      if (target.kind === "array") {
        const element = words.reduce<() => CType>(
          (of, word) => () => ({ kind: "qualified", word, target: of }),
          target.element,
        )
        return declaration({ ...target, element }, inner, depth + 1)
      }
      if (target.kind === "pointer")
        return declaration(target, ` ${sorted}${/^[*&(]/.test(inner) ? " " : ""}${inner}`, depth + 1)
      return `${sorted} ${declaration(target, inner, depth + 1)}`
    }
  }
}
