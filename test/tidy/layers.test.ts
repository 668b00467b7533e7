import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import {
  bigintAllowed,
  importsOf,
  layers,
  layerViolations,
  placeViolations,
  type SourceFile,
  tableCycles,
  withoutCommentsAndStrings,
} from "../../tools/layers.ts"

const root = join(import.meta.dirname, "../..")
const read = (path: string): SourceFile => ({ path, text: readFileSync(join(root, path), "utf8") })
const sources = globSync("src/**/*.{ts,tsx}", { cwd: root }).map(path => read(path.replaceAll("\\", "/")))

/** Text files of the repository, as git knows them; in a package without git, those that are there. */
const repository = (): SourceFile[] => {
  const listed = existsSync(join(root, ".git"))
    ? execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
        cwd: root,
        encoding: "utf8",
      })
        .split("\0")
        .filter(Boolean)
    : globSync("{src,test,tools,migrations,scenarios,docs}/**/*.*", { cwd: root })
  return listed
    .filter(path => existsSync(join(root, path)))
    .map(read)
    .filter(({ text }) => !text.slice(0, 8000).includes("\0"))
}

/** One seeded file through the checker. */
const judge = (path: string, text: string) => layerViolations([{ path, text }])

describe("the layer table", () => {
  it("has no cycle and names every folder of src", () => {
    expect(tableCycles()).toEqual([])
    const folders = new Set(sources.map(({ path }) => path.split("/")[1]))
    expect([...folders].filter(folder => !layers.some(layer => layer.folder === folder))).toEqual([])
  })

  it("notices a cycle", () => {
    const table = [
      { folder: "a", kind: "engine", imports: ["b"] },
      { folder: "b", kind: "engine", imports: ["a"] },
    ] as const
    expect(tableCycles(table)).not.toEqual([])
  })

  it("is obeyed by every file of src", () => {
    expect(sources.length).toBeGreaterThan(30)
    expect(layerViolations(sources)).toEqual([])
  })

  it("allows BigInt to files that exist", () => {
    expect(Object.keys(bigintAllowed).filter(path => !existsSync(join(root, path)))).toEqual([])
  })
})

describe("no file mentions a place of one computer", () => {
  it("in the whole repository", () => {
    expect(placeViolations(repository(), root)).toEqual([])
  })

  it.each([
    ["a registry", `see https://${"registry"}.npmjs.org/effect`],
    [
      "a private registry",
      `"resolved": "http://packages.local:4873/${"verdaccio"}"`.replace("packages", "npm-registry"),
    ],
    ["the checkout", `import "${root}/src/wasm/index.ts"`],
    ["a home folder", `cd /${"home"}/somebody/chronovisor`],
    ["a mirror", `ls ./.${"mirror"}/`],
  ])("notices %s", (_, text) => {
    expect(placeViolations([{ path: "docs/x.md", text }], root)).toHaveLength(1)
  })

  it("takes no offence at ordinary paths", () => {
    const text = "/dev/vda /proc/cpuinfo https://example.org/ test/oracle/work.ts a network/x"
    expect(placeViolations([{ path: "docs/x.md", text }], "/app")).toEqual([])
  })
})

describe("a seeded violation is found", () => {
  it.each([
    ["an import upward", "src/riscv/x.ts", `import { HartCore } from "../hart/hart-core.ts"`],
    ["a type import upward", "src/devices/plic2.ts", `import type { Instruction } from "../riscv/instruction.ts"`],
    ["a re-export upward", "src/wasm/x.ts", `export { decode } from "../riscv/table.ts"`],
    ["an import over several lines", "src/wasm/x.ts", `import {\n  decode,\n} from "../riscv/table.ts"`],
    ["a dynamic import", "src/wasm/x.ts", `const t = () => import("../riscv/table.ts")`],
    ["an import for its effect", "src/wasm/x.ts", `import "../riscv/table.ts"`],
    ["an import out of src", "src/hart/x.ts", `import { f } from "../../test/oracle/float.ts"`],
    ["effect below the line", "src/machine/x.ts", `import { Effect } from "effect"`],
    ["node: below the line", "src/devices/x.ts", `import fs from "node:fs"`],
    ["node: in session", "src/session/x.ts", `import fs from "node:fs"`],
    ["a folder in no layer", "src/helpers/x.ts", ""],
    ["a file in no layer", "src/x.ts", ""],
    ["a folder that says nothing", "src/hart/utils/x.ts", ""],
    ["the wall clock", "src/devices/x.ts", "const now = Date.now()"],
    ["chance", "src/machine/x.ts", "const r = Math.random()"],
    ["chance in session", "src/session/x.ts", "const id = randomUUID()"],
    ["the wall clock in session", "src/session/x.ts", "const now = performance.now()"],
    ["performance", "src/hart/x.ts", "const t = performance.now()"],
    ["a timer", "src/hart/x.ts", "setTimeout(() => {}, 1)"],
    ["an interval", "src/hart/x.ts", "setInterval(() => {}, 1)"],
    ["the environment", "src/hart/x.ts", "if (process.env.DEBUG) f()"],
    ["printing", "src/hart/x.ts", "console.log(1)"],
    ["an async function", "src/hart/x.ts", "const f = async () => 1"],
    ["an async method", "src/hart/x.ts", "class A { async f() {} }"],
    ["a promise", "src/hart/x.ts", "const f = (): Promise<void> => g()"],
    ["await", "src/hart/x.ts", "for await (const x of y) f(x)"],
    ["BigInt with no leave", "src/hart/x.ts", "const x = BigInt(1)"],
    ["a BigInt literal with no leave", "src/hart/x.ts", "const x = 0xffn"],
    ["a call in a template", "src/hart/x.ts", "const x = `at $" + "{Date.now()}`"],
    ["leave that nobody needs", "src/wasm/bytes.ts", "export const x = 1"],
  ])("%s", (_, path, text) => {
    expect(judge(path, text)).toHaveLength(1)
  })

  it.each([
    ["words in comments", "src/hart/x.ts", "// await the Date\n/** console.log(process.env) */\nexport {}"],
    ["words in strings", "src/hart/x.ts", `const x = "Date.now()" + 'await' + \`Promise\``],
    ["members of these names", "src/hart/x.ts", "this.console = board.process.performance"],
    ["an import downward", "src/hart/x.ts", `import { decode } from "../riscv/table.ts"`],
    ["an import inside a layer", "src/hart/float/x.ts", `import { a } from "../state.ts"`],
    ["hashing in session", "src/session/x.ts", `import { createHash } from "node:crypto"`],
    ["the wall clock in host", "src/host/x.ts", "const now = Date.now()"],
  ])("and %s are none", (_, path, text) => {
    expect(judge(path, text)).toEqual([])
  })
})

describe("reading a file", () => {
  it("keeps the lines of what it blanks", () => {
    const text = 'a /* x\ny */ b\n"c" // d\ne'
    expect(
      withoutCommentsAndStrings(text)
        .split("\n")
        .map(line => line.trim()),
    ).toEqual(["a", "b", "", "e"])
  })

  it("finds every form of import with its line", () => {
    const text = `import a from "./a.ts"\nexport * from "./b.ts"\nimport type { C } from "c"\nconst d = import("./d.ts")`
    expect(importsOf(text)).toEqual([
      { specifier: "./a.ts", line: 1 },
      { specifier: "./b.ts", line: 2 },
      { specifier: "c", line: 3 },
      { specifier: "./d.ts", line: 4 },
    ])
  })
})
