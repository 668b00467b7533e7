/**
 * Writer for cpio archives in the "newc" form (the initramfs buffer format: Linux Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * The bytes are a function of the entries alone: sorted by path, owned by root, modification time 0, inode numbers by position.
 */

export type CpioEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
      readonly kind: "character-device"
      readonly path: string
      readonly mode: number
      readonly major: number
      readonly minor: number
    }

const TYPE_BITS = { directory: 0o040000, file: 0o100000, link: 0o120000, "character-device": 0o020000 } as const

/**
 * The archive of the entries. Paths are relative, without a leading slash, and use `/`; the parent of each entry must be an entry
 * too, since the kernel creates no missing directories.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const known = new Set<string>([""])
  const records: { header: Uint8Array; data: Uint8Array }[] = []
  const encoder = new TextEncoder()
  const record = (path: string, fields: readonly number[], data: Uint8Array) => {
    const name = encoder.encode(`${path}\0`)
    const numbers = [...fields, name.length, 0].map(value => value.toString(16).padStart(8, "0").toUpperCase())
    records.push({ header: padded(concat([encoder.encode(`070701${numbers.join("")}`), name])), data })
  }
  sorted.forEach((entry, index) => {
    if (known.has(entry.path)) throw new Error(`the path ${entry.path} is in the archive twice`)
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf("/")))
    if (!known.has(parent)) throw new Error(`the directory ${parent} of ${entry.path} is missing in the archive`)
    known.add(entry.path)
    const data =
      entry.kind === "file" ? entry.data : entry.kind === "link" ? encoder.encode(entry.target) : new Uint8Array(0)
    const mode = TYPE_BITS[entry.kind] | (entry.kind === "link" ? 0o777 : entry.mode)
    const links = entry.kind === "directory" ? 2 : 1
    const [major, minor] = entry.kind === "character-device" ? [entry.major, entry.minor] : [0, 0]
    record(entry.path, [index + 1, mode, 0, 0, links, 0, data.length, 0, 0, major, minor], data)
  })
  record("TRAILER!!!", [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], new Uint8Array(0))
  return padded(concat(records.flatMap(({ header, data }) => [header, padded(data)])), 512)
}

function padded(bytes: Uint8Array, unit = 4): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(Math.ceil(bytes.length / unit) * unit)
  result.set(bytes)
  return result
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
