import { describe, expect, test } from "vitest"
import { Btf } from "../../../src/debugger/symbols/btf.ts"
import { compileBtf, noCompiler, nothingCompiled } from "./btf-compiler.ts"

const members = [
  "flags",
  "number",
  "low",
  "high",
  "deep",
  "comm",
  "list",
  "truth",
  "choice",
  "next",
  "call",
  "matrix",
] as const

const source = `
#include <stddef.h>
struct link { struct link *next, *prev; };
typedef volatile const unsigned int flags_t;
typedef flags_t more_flags_t;
enum choice { YES, NO };
struct thing {
  char first;
  more_flags_t flags;
  union {
    long number;
    struct { short low; struct { int high; union { char other; short deep; }; }; };
  };
  unsigned small : 3;
  unsigned : 2;
  unsigned large : 17;
  char comm[16];
  struct link list;
  _Bool truth;
  enum choice choice;
  struct thing *restrict next;
  int (*call)(struct thing *);
  short matrix[3][5];
};
struct thing thing;
struct thingy { int other; } thingy;
unsigned long numbers[] __attribute__((section(".numbers"))) = {
  sizeof(struct thing),
  ${members.map(name => `offsetof(struct thing, ${name}), sizeof(thing.${name})`).join(",\n  ")}
};`

describe.skipIf(noCompiler !== null)(`BTF of the C compiler${noCompiler ? `: ${noCompiler}` : ""}`, () => {
  const { btf, numbers } = noCompiler === null ? compileBtf(source) : nothingCompiled

  test("gives offsets and sizes as the compiler has them", () => {
    const thing = Btf.read(btf)!.struct("thing")!
    expect(thing.size).toBe(numbers[0])
    for (const [at, name] of members.entries()) {
      const { offset, size, bits, bitOffset } = thing.members.get(name)!
      const expected = { offset: numbers[1 + at * 2]!, size: numbers[2 + at * 2]! }
      expect({ name, offset, size, bits, bitOffset }).toEqual({
        name,
        ...expected,
        bits: name === "truth" ? bits : expected.size * 8,
        bitOffset: 0,
      })
    }
  })

  test("gives what a type is, behind its names and qualifiers", () => {
    const found = Btf.read(btf)!.struct("thing")!.members
    const kinds = Object.fromEntries(members.map(name => [name, found.get(name)!.kind]))
    expect(kinds).toEqual({
      flags: "int",
      number: "int",
      low: "int",
      high: "int",
      deep: "int",
      comm: "array",
      list: "struct",
      truth: "int",
      choice: "enum",
      next: "pointer",
      call: "pointer",
      matrix: "array",
    })
  })

  test("gives the bits of bit fields", () => {
    const found = Btf.read(btf)!.struct("thing")!.members
    const start = numbers[1 + members.indexOf("number") * 2]! + 16
    expect(found.get("small")).toMatchObject({ offset: start, bitOffset: 0, bits: 3, size: 4 })
    expect(found.get("large")).toMatchObject({ offset: start, bitOffset: 5, bits: 17, size: 4 })
  })

  test("has no struct of another name, and no union or enum as one", () => {
    const types = Btf.read(btf)!
    expect(types.struct("thin")).toBeNull()
    expect(types.struct("thing_")).toBeNull()
    expect(types.struct("choice")).toBeNull()
    expect(types.struct("thingy")?.members.size).toBe(1)
  })

  test("is not read when it is cut short or damaged", () => {
    for (const length of [0, 10, 24, btf.length - 1]) expect(Btf.read(btf.slice(0, length))).toBeNull()
    const unknownKind = btf.slice()
    unknownKind[24 + 7] = 31
    expect(Btf.read(unknownKind)).toBeNull()
    const other = btf.slice()
    other[2] = 2
    expect(Btf.read(other)).toBeNull()
  })
})
