/** Sessions at a prompt as documents show them: what was typed, and what was printed. */

export interface Step {
  /** Where it stands in the document, from 1. */
  readonly line: number
  readonly command: string
  readonly shown: readonly string[]
}

/** The steps in all code blocks of a language; a command goes on in the next line where it ends with a backslash. */
export const stepsOf = (document: string, language: string, prompt: string): readonly Step[] => {
  const steps: { line: number; command: string; shown: string[] }[] = []
  let isInside = false
  for (const [at, text] of document.split("\n").entries()) {
    const last = steps.at(-1)
    if (text.startsWith("```")) isInside = text === `\`\`\`${language}`
    else if (!isInside) continue
    else if (last?.command.endsWith("\\") && last.shown.length === 0) last.command += `\n${text}`
    else if (text.startsWith(prompt)) steps.push({ line: at + 1, command: text.slice(prompt.length), shown: [] })
    else if (last === undefined) throw new Error(`line ${at + 1} shows what was printed before anything was typed`)
    else last.shown.push(text)
  }
  return steps
}

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
