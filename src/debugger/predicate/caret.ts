/** A place in a text shown on a terminal: the line and a caret under the place, whatever the characters before it are wide. */

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

/** Characters two columns wide: those of East Asia (Unicode Standard Annex 11) and pictures. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]|\ufe0f/u
/** Characters without a column of their own, when nothing stands before them. */
const narrowest = /^[\p{Mark}\p{Format}]/u
/** Control characters, the tab excepted: they would act on the terminal. */
const control = /(?!\t)\p{Control}/gu

/** What stands under a character so that what follows is in the same column. */
const blank = (character: string): string => {
  if (character === "\t") return "\t"
  return wide.test(character) ? "  " : narrowest.test(character) ? "" : " "
}

/** Two lines: that line of `text` in which `offset` lies (in UTF-16 code units), control characters replaced, and `^` under the place. */
export const textWithCaret = (text: string, offset: number): string => {
  const start = text.slice(0, offset).lastIndexOf("\n") + 1
  const end = text.indexOf("\n", offset)
  const line = text.slice(start, end < 0 ? text.length : end).replace(control, "\ufffd")
  const before = [...graphemes.segment(line)].filter(({ segment, index }) => index + segment.length <= offset - start)
  return `${line}\n${before.map(({ segment }) => blank(segment)).join("")}^`
}
