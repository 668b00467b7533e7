/** What commands print: results on standard output, remarks on standard error. */
import * as Effect from "effect/Effect"

/** Writes all of it before going on. A reader that has gone away ends the process (see run-command-line.ts). */
export const write = (text: string | Uint8Array): Effect.Effect<void> =>
  Effect.callback<void>(resume => {
    process.stdout.write(text, error => {
      if (!error) resume(Effect.void)
    })
  })

export const writeLine = (text: string): Effect.Effect<void> => write(`${text}\n`)

/** One JSON document. */
export const writeJson = (value: unknown): Effect.Effect<void> => writeLine(JSON.stringify(value, jsonValue, 2))

/** JSON for what it has no form for: 64-bit integers and bytes. */
const jsonValue = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex")
  return value
}

/** Ends the process because its output is not wanted any more, which is no error, or cannot be written. */
export const endWithoutReader = (cause: NodeJS.ErrnoException): never => {
  if (cause.code !== "EPIPE") process.stderr.write(`cv: The output cannot be written: ${cause.message}.\n`)
  process.exit(cause.code === "EPIPE" ? 0 : 1)
}

/** A line on standard error. */
export const remark = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    process.stderr.write(`${text}\n`)
  })

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB"]

export const formatBytes = (bytes: number): string => {
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${binaryUnits[unit]}`
}

export const formatCount = (count: number): string => count.toLocaleString("en-US")

/** A duration with a unit that suits it. */
export const formatNs = (ns: number): string => {
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`
  if (ns < 120e9) return `${(ns / 1e9).toFixed(2)} s`
  return `${(ns / 60e9).toFixed(1)} min`
}

/** Columns as wide as their content, two spaces apart; columns that begin with "#" have numbers and are set flush right. */
export const formatTable = (headings: readonly string[], rows: readonly (readonly string[])[]): string => {
  const titles = headings.map(heading => heading.replace(/^#/, ""))
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        headings[column]!.startsWith("#") ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd()
  return [titles, ...rows].map(line).join("\n")
}

/** `text` with control characters written out, so that a guest's bytes cannot drive the terminal of who looks at a list. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`)
