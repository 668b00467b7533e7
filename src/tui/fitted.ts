/** Words in a row, as many as there is room for: none is cut in the middle. */
export const fitted = (words: readonly string[], separator: string, columns: number): string => {
  const all = words.join(separator)
  if (all.length <= columns) return all
  let text = ""
  for (const word of words) {
    const longer = `${text}${word}${separator}`
    if (longer.length + 1 > columns) break
    text = longer
  }
  return `${text}…`
}
