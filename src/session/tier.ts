/** Who executes a machine's instructions. Whoever it is, its history is the same. */
import { Context } from "effect"
import type { Genesis } from "../events/index.ts"
import {
  defaultPolicy,
  inlineCompiler,
  type RegionCompilerMaker,
  type TranslationPolicy,
} from "../machine/machine-config.ts"

export { policyNamed } from "../machine/machine-config.ts"

/** The translation policy of machines that are built; null: the interpreter alone. */
export const Tier = Context.Reference<TranslationPolicy | null>("chronovisor/session/Tier", {
  defaultValue: () => defaultPolicy,
})

/** Who compiles what is translated of a genesis's machine; the machine itself where nobody else is given. */
export const Compiler = Context.Reference<(genesis: Genesis) => RegionCompilerMaker>("chronovisor/session/Compiler", {
  defaultValue: () => () => inlineCompiler,
})
