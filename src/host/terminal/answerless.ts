/**
 * Console output for a terminal nobody of the guest listens to: questions to the terminal are left out, since its answers would be
 * typed into whatever reads it next. ECMA-48: DSR (8.3.35) and DA (8.3.24); DECID.
 */

const ESCAPE = 0x1b
/** Longest beginning of a question that is held back until it is clear what it is. */
const HELD_MAX = 16

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const question = /\x1b(?:\[[0-9;?>=]*[nc]|Z)/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const beginning = /\x1b(?:\[[0-9;?>=]*)?$/

export class Answerless {
  private held = ""

  /** What of the output is shown. The beginning of a sequence at its end waits for the next call. */
  take(output: Uint8Array): Uint8Array {
    if (this.held === "" && !output.includes(ESCAPE)) return output
    // One character a byte: nothing but these sequences is touched.
    const text = (this.held + Buffer.from(output).toString("latin1")).replaceAll(question, "")
    const begun = beginning.exec(text)
    this.held = begun !== null && begun[0].length <= HELD_MAX ? begun[0] : ""
    return Buffer.from(text.slice(0, text.length - this.held.length), "latin1")
  }
}
