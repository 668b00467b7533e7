/** What programs for Linux and for patching need besides what a bare-metal guest shows. */
import { describe, expect, it } from "vitest"
import { DebugFile } from "../../../src/debugger/symbols/debug-file.ts"
import type { FrameState } from "../../../src/debugger/symbols/frame-state.ts"
import { buildGuest, buildLinuxProgram, copyOf, hasCompiler, noCompiler } from "./guest.ts"

const text = `
#include <complex.h>
struct node { struct node *next; int value; };
typedef int (*operation)(const struct node *, int, ...);
static struct node list = { &list, 7 };
const volatile unsigned char *const names[2];
double complex turn = 1.5 - 2.0 * I;
operation operations[3];
int (*matrix(void))[4];
int (*matrix(void))[4] { static int all[2][4] = {{1}}; return all; }
int main(int argc, char **argv) { return argc + list.value + (int)creal(turn) + matrix()[0][0]; }
`

/** A frame in main with nothing but data: what the file holds, loaded \`bias\` away. */
function frameOf(file: DebugFile, bias = 0n): FrameState {
  const pc = file.elf.symbolsNamed("main")[0]!.address + bias
  const memory = (address: bigint, length: number) => {
    const section = file.elf.sectionAt(address - bias)
    if (section === null) return null
    const { bytes } = file.elf.section(section.name)
    const at = Number(address - bias - section.address)
    return at + length <= bytes.length ? bytes.slice(at, at + length) : new Uint8Array(length)
  }
  return { pc, codeAddress: pc, bias, register: () => null, memory, cfa: () => null, caller: () => null }
}

describe.skipIf(!hasCompiler)(`debug information (${hasCompiler ? "compiled here" : noCompiler})`, () => {
  const globalsOf = (file: DebugFile, frame: FrameState) =>
    new Map(
      file.variables
        .globals(frame.pc - frame.bias)
        .map(variable => [variable.name, file.variables.read(variable, frame)]),
    )

  it("writes types as C does", () => {
    const file = new DebugFile(buildLinuxProgram(text, "-O0", "-static").bytes)
    const globals = globalsOf(file, frameOf(file))
    const type = (name: string) => globals.get(name)!.typeName
    expect(type("list")).toBe("struct node")
    expect(type("names")).toBe("const volatile unsigned char * const[2]")
    expect(type("operations")).toBe("operation [3]")
    const [operation] = globals.get("operations")!.children()
    expect(operation).toMatchObject({ name: "[0]", typeName: "operation", text: "0x0", childCount: 0 })
    expect(globals.get("turn")!.text).toBe("1.5 + -2i")
  })

  it("is read where a program is loaded elsewhere", () => {
    const file = new DebugFile(buildLinuxProgram(text, "-O0", "-pie").bytes)
    expect(file.elf.isPositionIndependent).toBe(true)
    const bias = 0x2a_aaaa_0000n
    const list = globalsOf(file, frameOf(file, bias)).get("list")!
    expect(list.address).toBe(file.elf.symbolsNamed("list")[0]!.address + bias)
    expect(list.children().map(({ name, typeName, text }) => `${typeName} ${name} = ${text}`)).toEqual([
      expect.stringMatching(/^struct node \* next = 0x[\da-f]+$/),
      "int value = 7",
    ])
  })

  it("has types in units of their own", () => {
    const file = new DebugFile(buildLinuxProgram(text, "-O0", "-static", "-fdebug-types-section").bytes)
    const list = globalsOf(file, frameOf(file)).get("list")!
    expect(list.children().map(({ name }) => name)).toEqual(["next", "value"])
    const again = list.children()[0]!.children()
    expect(again.map(({ name, typeName }) => `${typeName} ${name}`)).toEqual(["struct node * next", "int value"])
  })

  it("leaves room for patches at the beginning of functions", () => {
    const file = new DebugFile(buildGuest("-g", "-O2", "-fpatchable-function-entry=4").bytes)
    for (const name of ["main", "area_of", "factorial"]) {
      const [symbol] = file.elf.variantsNamed(name)
      const [address] = file.breakpointsAtFunction(name)
      expect(file.functions.at(symbol!.address)).toBeNull()
      expect(file.functionAt(symbol!.address)?.name).toBe(symbol!.name)
      expect(Number(address! - symbol!.address)).toBe(8)
    }
    expect(file.breakpointsAtFunction("count_letters")).toEqual([file.elf.symbolsNamed("count_letters")[0]!.address])
  })

  it("may be missing", () => {
    const program = copyOf(buildGuest("-g", "-O2"), "--strip-debug")
    const file = new DebugFile(program.bytes)
    const [main] = file.elf.symbolsNamed("main")
    expect(file.hasDebugInfo).toBe(false)
    expect(file.breakpointsAtFunction("main")).toEqual([main!.address])
    expect(file.functionAt(main!.address + 2n)?.name).toBe("main")
    expect([file.lines.at(main!.address), file.lines.files, file.functions.placesAt(main!.address)]).toEqual([
      null,
      [],
      [],
    ])
    expect(file.variables.visible(main!.address)).toEqual({ parameters: [], locals: [] })
    expect(file.frames.rowAt(main!.address)).toBeNull()
  })

  it("of what the linker threw away is left out", () => {
    const file = new DebugFile(buildGuest("-g", "-O2", "-ffunction-sections", "-Wl,--gc-sections").bytes)
    const thrownAway = [...file.lines.all()].filter(({ address }) => address < 0x1000n)
    expect(thrownAway.some(row => row.file.endsWith("/shapes.c"))).toBe(true)
    expect(thrownAway.every(({ address }) => file.lines.at(address) === null)).toBe(true)
    for (const { entry, name } of file.functions.all()) expect(file.breakpointsAtFunction(name)).toContain(entry)
  })
})
