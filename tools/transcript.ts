/** Sessions at a prompt as documents show them: what was typed, and what was printed. */

export interface Step {
  /** Where it stands in the document, from 1. */
  readonly line: number
  readonly command: string
  readonly shown: readonly string[]
}

/** A block of code, without its fences. */
export interface Block {
  /** Where its first line stands in the document, from 1. */
  readonly line: number
  readonly lines: readonly string[]
}

/** All blocks of a language. */
export const blocksOf = (document: string, language: string): readonly Block[] =>
  [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(({ index, 2: text }) => ({
      line: document.slice(0, index).split("\n").length + 1,
      lines: text!.split("\n").slice(0, -1),
    }))

/** The steps in all blocks of a language; a command goes on in the next line where it ends with a backslash. */
export const stepsOf = (document: string, language: string, prompt: string): readonly Step[] =>
  blocksOf(document, language).flatMap(({ line, lines }) => {
    const steps: { line: number; command: string; shown: string[] }[] = []
    for (const [at, text] of lines.entries()) {
      const last = steps.at(-1)
      if (last?.command.endsWith("\\") && last.shown.length === 0) last.command += `\n${text}`
      else if (text.startsWith(prompt)) steps.push({ line: line + at, command: text.slice(prompt.length), shown: [] })
      else if (last === undefined) throw new Error(`line ${line} shows what was printed before anything was typed`)
      else last.shown.push(text)
    }
    return steps
  })

/** Lines of what was printed, without blanks at their ends, empty lines at the end, and what a terminal makes of line ends. */
export const linesOf = (printed: string): readonly string[] => {
  const lines = printed.replaceAll("\r", "").split("\n")
  const trimmed = lines.map(line => line.trimEnd())
  return trimmed.slice(0, trimmed.findLastIndex(line => line !== "") + 1)
}

/** Whether that was printed which is shown; `…` stands for anything in its line, and alone in a line for any lines. */
export const isShown = (shown: readonly string[], printed: readonly string[]): boolean => {
  const patterns = linesOf(shown.join("\n")).map(line =>
    line === "…"
      ? "(?:.*\\n)*"
      : `${line
          .split("…")
          .map(part => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
          .join(".*")}\\n`,
  )
  return new RegExp(`^${patterns.join("")}$`).test(printed.map(line => `${line}\n`).join(""))
}
