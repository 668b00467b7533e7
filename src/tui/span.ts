/** Text with a meaning to its look, before anything is known of colours. */

/** `chosen` is where a cursor stands. */
export type Tone = "plain" | "quiet" | "strong" | "accent" | "good" | "bad" | "chosen"

export interface Span {
  readonly tone: Tone
  readonly text: string
}

export type Line = readonly Span[]

export const line = (...parts: readonly (Span | string)[]): Line =>
  parts.map(part => (typeof part === "string" ? { tone: "plain", text: part } : part))

export const quiet = (text: string): Span => ({ tone: "quiet", text })
export const strong = (text: string): Span => ({ tone: "strong", text })
export const accent = (text: string): Span => ({ tone: "accent", text })
export const good = (text: string): Span => ({ tone: "good", text })
export const bad = (text: string): Span => ({ tone: "bad", text })
export const chosen = (text: string): Span => ({ tone: "chosen", text })

/** What a line says, without its look. */
export const plainText = (spans: Line): string => spans.map(({ text }) => text).join("")
