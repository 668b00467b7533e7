/** Numbers as people read them. */

/** `49,389,696`. */
export const count = (value: number): string => value.toLocaleString("en-US")

/** `1 event`, `174 events`. */
export const countOf = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`

/** `812 bytes`, `184 KiB`, `64 MiB`. */
export const size = (bytes: number): string => {
  if (bytes < 1024) return countOf(bytes, "byte")
  const [divisor, unit] = bytes < 1 << 20 ? [1024, "KiB"] : [1 << 20, "MiB"]
  const value = bytes / divisor
  return `${value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** `0.14 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** Instructions a second: `353 MIPS`. */
export const speed = (instructions: number, ms: number): string =>
  `${count(Math.round(instructions / 1000 / Math.max(1, ms)))} MIPS`
