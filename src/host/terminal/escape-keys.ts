/**
 * The keys that speak to the engine instead of the guest, as QEMU's multiplexer has them: Ctrl-A, then a letter. All other bytes,
 * Ctrl-C among them, are the guest's.
 */

export type EscapeCommand = "quit" | "snapshot" | "help"

export const escapeHelp = [
  "Ctrl-A x       end the run",
  "Ctrl-A s       save a snapshot",
  "Ctrl-A h       this help",
  "Ctrl-A Ctrl-A  send Ctrl-A to the guest",
] as const

const CTRL_A = 1
const commands: Readonly<Record<string, EscapeCommand>> = {
  x: "quit",
  X: "quit",
  s: "snapshot",
  S: "snapshot",
  h: "help",
  H: "help",
  "?": "help",
}

export class EscapeKeys {
  private pending = false

  /** What of `bytes` the guest gets, and the commands found in them, in order. Nothing after "quit" is for the guest. */
  take(bytes: Uint8Array): { readonly typed: Uint8Array; readonly commands: readonly EscapeCommand[] } {
    const typed: number[] = []
    const found: EscapeCommand[] = []
    for (const byte of bytes) {
      if (!this.pending) {
        if (byte === CTRL_A) this.pending = true
        else typed.push(byte)
        continue
      }
      this.pending = false
      if (byte === CTRL_A) typed.push(byte)
      const command = commands[String.fromCharCode(byte)]
      if (command) found.push(command)
      if (command === "quit") break
    }
    return { typed: Uint8Array.from(typed), commands: found }
  }
}
