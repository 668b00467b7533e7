/** What a second gdb is told: it shows the text of an answer that is an error. */
import { acknowledgment, encodePacket } from "./packet.ts"

export const refusal = (world: string): Uint8Array => {
  const text = `E.Another gdb is debugging ${world.replaceAll(/[^\w.-]/g, "_")}; end that one first, or start another cv gdb with --listen at another port.`
  return Uint8Array.from([...acknowledgment(true), ...encodePacket(text)])
}
