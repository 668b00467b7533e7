/** The hart's module, made when the program is built: making it takes longer than restoring a machine. */
import type { FunctionType } from "../wasm/index.ts"

export interface PrebuiltModule {
  /** Base64. */
  readonly bytes: string
  /** Base64. */
  readonly csrIndex: string
  readonly helpers: readonly (readonly [string, FunctionType])[]
}

/** null outside of a built program, as in tests: `rolldown.config.ts` puts it here. */
export const prebuilt: PrebuiltModule | null = null
