/** Lines of source as people write them: `main.c:42`. */
import { posix } from "node:path"
import type { Debugger } from "./debugger.ts"
import { DebugInfoDamaged } from "./symbols/errors.ts"

/** The line that the instruction at an address was compiled from, by the guest's programs; null where none of them tells. */
export const sourceText = ({ programs }: Debugger, address: bigint): string | null => {
  for (const program of programs) {
    try {
      const found = program.lineAt(address)
      if (found !== null && found.line > 0) return `${posix.basename(found.file)}:${found.line}`
    } catch (cause) {
      // Names are worth having where lines are not.
      if (!(cause instanceof DebugInfoDamaged)) throw cause
    }
  }
  return null
}
