/** Who executes a machine's instructions. Whoever it is, its history is the same. */
import { Context } from "effect"
import { defaultPolicy, type TranslationPolicy } from "../machine/machine-config.ts"

export { policyNamed } from "../machine/machine-config.ts"

/** The translation policy of machines that are built; null: the interpreter alone. */
export const Tier = Context.Reference<TranslationPolicy | null>("chronovisor/session/Tier", {
  defaultValue: () => defaultPolicy,
})
