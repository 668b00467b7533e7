/**
 * Loadable kernel modules of a Debian kernel package: which files a set of modules needs, and the index files that modprobe(8) reads
 * (modules.dep(5), modules.alias). The package itself ships no index; that is made here from each module's `.modinfo` section.
 */
import { elfSection, readElf } from "../../machine/elf.ts"

/** One module, unpacked. */
export type KernelModule = {
  /** With underscores, as in lsmod. */
  readonly name: string
  /** File name without compression suffix, for example `virtio-rng.ko`. */
  readonly fileName: string
  readonly data: Uint8Array
  /** Modules it uses directly, those built into the kernel included. */
  readonly depends: readonly string[]
  /** Modules or aliases it wants loaded before it. */
  readonly softDepends: readonly string[]
  readonly aliases: readonly string[]
}

/** The name of the module in a file: its base name with underscores for dashes and without suffixes. */
export function moduleName(path: string): string {
  return path
    .replace(/^.*\//, "")
    .replace(/\.ko(?:\.\w+)?$/, "")
    .replaceAll("-", "_")
}

/** Reads what a module's file says about itself; undefined if it is not a RISC-V module. */
export function readKernelModule(path: string, data: Uint8Array): KernelModule | undefined {
  const elf = readElf(data)
  if (!elf.ok) return undefined
  const section = elfSection(elf.file, ".modinfo")
  if (section === undefined) return undefined
  const fields = new TextDecoder().decode(section).split("\0")
  const values = (key: string) =>
    fields.filter(text => text.startsWith(`${key}=`)).map(text => text.slice(key.length + 1))
  return {
    name: moduleName(path),
    fileName: path.replace(/^.*\//, "").replace(/\.ko\.\w+$/, ".ko"),
    data,
    depends: list(values("depends"), ","),
    softDepends: list(
      values("softdep").map(text => /(?:^|\s)pre:\s*([^:]*?)(?:\s+post:.*)?$/.exec(text)?.[1] ?? ""),
      " ",
    ),
    aliases: [...new Set(values("alias"))],
  }
}

/** The text of modules.dep for modules that lie in one directory: each with all it needs, in the order to remove them. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map(module => [module.name, module]))
  const lines = modules.map(module => {
    const needed = new Set<KernelModule>()
    const visit = (name: string) => {
      const found = byName.get(name.replaceAll("-", "_"))
      if (found === undefined || found === module || needed.has(found)) return
      needed.add(found)
      for (const next of [...found.softDepends, ...found.depends]) visit(next)
    }
    for (const name of [...module.softDepends, ...module.depends]) visit(name)
    return `${[`${module.fileName}:`, ...[...needed].map(other => other.fileName)].join(" ")}\n`
  })
  return lines.join("")
}

/** The text of modules.alias. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(module => module.aliases.map(alias => `alias ${alias} ${module.name}\n`)).join("")
}

function list(values: readonly string[], separator: string): string[] {
  return values.flatMap(text => text.split(separator)).filter(text => text !== "")
}
