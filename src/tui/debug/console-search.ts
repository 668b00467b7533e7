/** Looking for text in all that a guest prints in the course of its history. Places are offsets into that text, in UTF-16 code units. */

export interface Match {
  readonly start: number
  readonly end: number
}

/** A pattern as less reads one: small letters stand for both kinds, unless there is a capital among them. @throws SyntaxError */
export const searchPattern = (text: string): RegExp => new RegExp(text, /[A-Z]/.test(text) ? "gm" : "gim")

const matches = (text: string, pattern: RegExp): readonly Match[] =>
  [...text.matchAll(pattern)]
    .filter(([found]) => found !== "")
    .map(found => ({ start: found.index, end: found.index + found[0].length }))

/** The first match that ends after an offset, null where there is none. */
export const matchAfter = (text: string, pattern: RegExp, offset: number): Match | null =>
  matches(text, pattern).find(({ end }) => end > offset) ?? null

/** The last match that ends before an offset. */
export const matchBefore = (text: string, pattern: RegExp, offset: number): Match | null =>
  matches(text, pattern).findLast(({ end }) => end < offset) ?? null

export const matchCount = (text: string, pattern: RegExp): number => matches(text, pattern).length
