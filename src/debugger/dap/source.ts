/** Source files as clients name them: where they lie on this computer, not where they were compiled. */
import { posix } from "node:path"
import type { DebugProtocol } from "@vscode/debugprotocol"

export class SourcePaths {
  private readonly root: string
  private readonly map: readonly (readonly [from: string, to: string])[]

  /** `root`: what relative paths are relative to. `map`: beginnings of paths, each with what is put in its place. */
  constructor(root: string, map: Readonly<Record<string, string>>) {
    this.root = root
    this.map = Object.entries(map)
  }

  /** `file`: as the program has it. */
  sourceOf(file: string): DebugProtocol.Source {
    const entry = this.map.find(([from]) => file.startsWith(from))
    const moved = entry === undefined ? file : `${entry[1]}${file.slice(entry[0].length)}`
    return { name: posix.basename(file), path: posix.isAbsolute(moved) ? moved : posix.join(this.root, moved) }
  }
}
