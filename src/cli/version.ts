/** The version of this program. */
import { ENGINE_VERSION } from "../session/world-spec.ts"

export const version: string = ENGINE_VERSION
