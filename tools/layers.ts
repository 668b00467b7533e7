/**
 * The layers of `src` as data, and what each may do: imports run downward only, and below the Effect line nothing may know
 * the time, chance, the environment or the file system, or wait for anything.
 */

/** What kind of layer a folder is: `engine` lies below the Effect line, `outside` alone talks to the operating system. */
export type LayerKind = "engine" | "effect" | "outside"

export interface Layer {
  readonly folder: string
  readonly kind: LayerKind
  /** Folders of `src` it may import, besides itself. */
  readonly imports: readonly string[]
}

const engineFolders = ["wasm", "riscv", "hart", "devices", "kernel", "machine"]
const beforeViews = [...engineFolders, "events", "session", "host", "hypervisor", "container", "debugger", "scenario"]

export const layers: readonly Layer[] = [
  { folder: "wasm", kind: "engine", imports: [] },
  { folder: "riscv", kind: "engine", imports: ["wasm"] },
  { folder: "hart", kind: "engine", imports: ["riscv", "wasm"] },
  { folder: "devices", kind: "engine", imports: [] },
  { folder: "kernel", kind: "engine", imports: ["riscv"] },
  { folder: "machine", kind: "engine", imports: ["wasm", "riscv", "hart", "devices", "kernel"] },
  { folder: "events", kind: "outside", imports: ["machine", "devices"] },
  { folder: "session", kind: "effect", imports: ["machine", "devices", "riscv", "events"] },
  { folder: "debugger", kind: "effect", imports: ["machine", "riscv", "events", "session"] },
  { folder: "host", kind: "outside", imports: ["devices", "machine", "events", "session", "debugger"] },
  { folder: "hypervisor", kind: "effect", imports: ["machine", "devices", "riscv", "events", "session", "host"] },
  {
    folder: "container",
    kind: "effect",
    imports: ["machine", "devices", "riscv", "kernel", "events", "session", "host"],
  },
  {
    folder: "scenario",
    kind: "effect",
    imports: ["machine", "riscv", "events", "session", "host", "hypervisor", "container"],
  },
  { folder: "tui", kind: "outside", imports: beforeViews },
  { folder: "cli", kind: "outside", imports: [...beforeViews, "tui"] },
]

/** Engine files that compute with BigInt, and why that costs a running guest nothing. */
export const bigintAllowed: Readonly<Record<string, string>> = {
  "src/wasm/bytes.ts": "encodes 64-bit constants when a module is built",
  "src/wasm/expression.ts": "64-bit constants of expressions, when a module is built",
  "src/wasm/function.ts": "64-bit constants of statements, when a module is built",
  "src/riscv/assembler.ts": "64-bit constants of test programs",
  "src/riscv/disassembler.ts": "64-bit addresses in text for people",
  "src/riscv/bitmanip.ts": "64-bit masks in generated code",
  "src/riscv/csr-fields.ts": "values of 64-bit registers taken apart for people",
  "src/riscv/csr.ts": "masks over 64-bit registers, for generated code",
  "src/riscv/float.ts": "sign masks in generated code",
  "src/riscv/rv64m.ts": "the least 64-bit integer in generated code",
  "src/hart/code-cache.ts": "page masks in generated code",
  "src/hart/csr-access.ts": "masks over 64-bit registers in generated code",
  "src/hart/execution.ts": "masks in generated code",
  "src/hart/hart-core.ts": "inspection of 64-bit registers, documented as rare",
  "src/hart/hart-module.ts": "the type of a call made for inspection",
  "src/hart/interpreter.ts": "masks in generated code",
  "src/hart/memory-access.ts": "masks in generated code",
  "src/hart/observation.ts": "page masks in generated code",
  "src/hart/observation-tables.ts": "64-bit addresses of what is observed, set now and then",
  "src/hart/page-hash.ts": "multipliers in generated code",
  "src/hart/pmp.ts": "page masks in generated code",
  "src/hart/regions.ts": "page masks in generated code",
  "src/hart/translation.ts": "page-table masks in generated code",
  "src/hart/trap-delivery.ts": "masks in generated code",
  "src/hart/translator/host-float.ts": "limits of the floating-point formats in generated code",
  "src/hart/translator/region-function.ts": "page masks in generated code",
  "src/hart/float/conversion.ts": "limits of the integer formats in generated code",
  "src/hart/float/format.ts": "masks of the floating-point formats in generated code",
  "src/hart/float/fused.ts": "exponents in generated code",
  "src/hart/float/multiplication.ts": "masks in generated code",
  "src/hart/float/rounding.ts": "masks in generated code",
  "src/machine/boot.ts": "register values before the first instruction",
  "src/machine/elf.ts": "64-bit fields of a file, read once before a run",
  "src/machine/kernel-image.ts": "64-bit fields of a file, read once before a run",
  "src/machine/machine.ts": "64-bit arguments of the timer registers",
  "src/machine/page-walk.ts": "64-bit addresses looked up by people",
  "src/machine/sbi.ts": "64-bit arguments of environment calls",
}

/** A file as the checks see it: its path from the top of the repository, with `/`, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** One broken rule, as a sentence beginning with where. */
export type Violation = string

const folderNamesBanned = new Set(["utils", "util", "common", "misc", "helpers"])

/** Calls that would let the host be seen by a guest, or make the engine wait. */
const bannedBelow: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Date", /(?<![\w.$])Date\b/],
  ["Math.random", /\bMath\s*\.\s*random\b/],
  ["performance", /(?<![\w.$])performance\s*[.[]/],
  ["a timer", /(?<![\w.$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ["process", /(?<![\w.$])process\s*[.[]/],
  ["console", /(?<![\w.$])console\s*[.[]/],
  ["crypto", /(?<![\w.$])crypto\s*[.[]/],
  ["fetch", /(?<![\w.$])fetch\s*\(/],
  ["globalThis", /(?<![\w.$])globalThis\b/],
  ["Buffer", /(?<![\w.$])Buffer\s*[.(]/],
  ["async", /(?<![\w.$])async\b(?=\s*(?:function\b|\(|\*|[\w$]+\s*(?:=>|\()))/],
  ["await", /(?<![\w.$])await\b/],
  ["Promise", /(?<![\w.$])Promise\b/],
]

/** Calls that only the layers at the outside may make. */
const bannedAboveToo: readonly (readonly [name: string, pattern: RegExp])[] = [
  ...bannedBelow.filter(([name]) =>
    ["Date", "Math.random", "performance", "a timer", "process", "fetch"].includes(name),
  ),
  ["chance", /\brandom(?:Bytes|FillSync|Fill|Int|UUID)\b|\bgetRandomValues\b/],
]

/** Node's own modules that only compute: they may be used above the Effect line anywhere, chance excepted. */
const computingModules = new Set(["node:buffer", "node:crypto", "node:path", "node:util", "node:zlib"])

const bigintPattern = /(?<![\w.$])(?:BigInt|bigint)\b|(?<![\w.$])(?:0[xX][\da-fA-F_]+|0[bB][01_]+|\d[\d_]*)n\b/

/** Comments and the contents of strings turned to blanks, lines kept. What stands in `${}` of a template stays. */
export const withoutCommentsAndStrings = (text: string): string => {
  const blank = (part: string) => part.replace(/[^\n]/g, " ")
  const outside = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g
  return text.replace(outside, part => {
    if (!part.startsWith("`")) return blank(part)
    let at = 0
    let kept = ""
    for (const inner of part.matchAll(/\$\{[^}]*\}/g)) {
      kept += blank(part.slice(at, inner.index)) + inner[0]
      at = inner.index + inner[0].length
    }
    return kept + blank(part.slice(at))
  })
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split("\n").length

/** Module specifiers of imports and re-exports, static and dynamic, with their lines. */
export const importsOf = (text: string): readonly { readonly specifier: string; readonly line: number }[] =>
  [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(["'])([^"'\n]+)\1/gm)].map(found => ({
    specifier: found[2]!,
    line: lineOf(text, found.index + found[0].length),
  }))

/** The path a relative import names, from the top of the repository. */
const resolve = (from: string, specifier: string): string => {
  const parts = from.split("/").slice(0, -1)
  for (const part of specifier.split("/"))
    if (part === "..") parts.pop()
    else if (part !== ".") parts.push(part)
  return parts.join("/")
}

const checkImports = (file: SourceFile, layer: Layer): Violation[] =>
  importsOf(file.text).flatMap(({ specifier, line }) => {
    const where = `${file.path}:${line}`
    if (specifier.startsWith(".")) {
      const [top, folder] = resolve(file.path, specifier).split("/")
      if (top === "migrations" && layer.folder === "events") return []
      if (top !== "src") return [`${where} imports ${specifier}, which lies outside src`]
      if (folder === layer.folder || layer.imports.includes(folder!)) return []
      return [`${where} imports ${folder}, which ${layer.folder} may not`]
    }
    if (layer.kind === "engine")
      return [`${where} imports ${specifier}: below the Effect line nothing but src is imported`]
    if (layer.kind === "effect" && specifier.startsWith("node:") && !computingModules.has(specifier))
      return [`${where} imports ${specifier}: only events, host, tui and cli reach the operating system`]
    return []
  })

const checkCalls = (file: SourceFile, layer: Layer): Violation[] => {
  const code = withoutCommentsAndStrings(file.text)
  const banned = layer.kind === "engine" ? bannedBelow : layer.kind === "effect" ? bannedAboveToo : []
  const found = banned.flatMap(([name, pattern]) => {
    const match = pattern.exec(code)
    return match ? [`${file.path}:${lineOf(code, match.index)} uses ${name}`] : []
  })
  if (layer.kind === "engine") {
    const match = bigintPattern.exec(code)
    if (match && !(file.path in bigintAllowed))
      found.push(`${file.path}:${lineOf(code, match.index)} uses BigInt and is not in the list of files that may`)
    if (!match && file.path in bigintAllowed) found.push(`${file.path} needs no leave to use BigInt: it uses none`)
  }
  return found
}

/** What files of `src` do against the table. */
export const layerViolations = (files: readonly SourceFile[]): Violation[] =>
  files.flatMap(file => {
    const [, folder, ...rest] = file.path.split("/")
    if (rest.length === 0) return [`${file.path} lies in no layer`]
    const layer = layers.find(candidate => candidate.folder === folder)
    if (!layer) return [`${file.path}: ${folder} is no layer; add it to tools/layers.ts or move the file`]
    const badName = rest.slice(0, -1).find(name => folderNamesBanned.has(name))
    return [
      ...(badName ? [`${file.path}: a folder called ${badName} says nothing about what is in it`] : []),
      ...checkImports(file, layer),
      ...checkCalls(file, layer),
    ]
  })

/** Every import chain in the table ends: no folder can reach itself. */
export const tableCycles = (table: readonly Layer[] = layers): Violation[] => {
  const reach = (folder: string, path: readonly string[]): Violation[] => {
    if (path.includes(folder)) return [`${[...path, folder].join(" imports ")}`]
    const layer = table.find(candidate => candidate.folder === folder)
    if (!layer) return [`${path.at(-1)} imports ${folder}, which is no layer`]
    return layer.imports.flatMap(next => reach(next, [...path, folder]))
  }
  return table.flatMap(layer => reach(layer.folder, []))
}

/**
 * Mentions of places that exist on one computer only: package registries and the folder the repository happens to lie in.
 * `root` is that folder's absolute path.
 */
export const placeViolations = (files: readonly SourceFile[], root: string): Violation[] => {
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  const checkout = root.split("/").filter(Boolean).length > 1 ? `|(?<![\\w./-])${escaped(root)}(?![\\w-])` : ""
  const registry = String.raw`https?:\/\/[\w.:-]*(?:registry|npmjs|yarnpkg|artifactory|nexus|verdaccio)[\w.-]*`
  const workplace = String.raw`(?<![\w./-])\/(?:wor${"k"}|hom${"e"}\/[\w-]+|Users\/[\w-]+)\/[\w.-]+|[/\s"'\x60]\.mirro${"r"}\b`
  const pattern = new RegExp(`${registry}|${workplace}${checkout}`)
  return files.flatMap(({ path, text }) => {
    const match = pattern.exec(text)
    return match ? [`${path}:${lineOf(text, match.index)} mentions ${match[0].trim()}`] : []
  })
}
