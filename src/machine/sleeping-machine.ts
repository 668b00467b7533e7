/** A machine's state without the content of its RAM, in one piece, and in bytes. */
import { decodeState, encodeState, StateFields } from "../devices/index.ts"
import { executedIn } from "../hart/hart-core.ts"

export interface SleepingMachine {
  /** Everything but memory. */
  readonly state: Uint8Array
  /** The boot ROM, as far as it is used. */
  readonly rom: Uint8Array
  /** Of all of RAM. */
  readonly memoryDigest: Uint8Array
}

/** Instructions each hart had executed. */
export const executedBy = ({ state }: SleepingMachine): readonly number[] => {
  const { harts } = decodeState(state) as { readonly harts: readonly Uint8Array[] }
  return harts.map(executedIn)
}

export const encodeSleeping = ({ state, rom, memoryDigest }: SleepingMachine): Uint8Array =>
  encodeState({ state, rom, memoryDigest })

/** null for a state alone, as the first snapshots have it. @throws Error for bytes that are neither. */
export const decodeSleeping = (bytes: Uint8Array): SleepingMachine | null => {
  const value = decodeState(bytes)
  if (typeof value === "object" && value !== null && "harts" in value) return null
  const fields = new StateFields("the snapshot", value, ["state", "rom", "memoryDigest"])
  const [state, rom, memoryDigest] = [fields.value("state"), fields.value("rom"), fields.value("memoryDigest")]
  if (!(state instanceof Uint8Array && rom instanceof Uint8Array && memoryDigest instanceof Uint8Array))
    throw new Error("the snapshot has fields of the wrong type")
  return { state, rom, memoryDigest }
}
