/**
 * The commands (applets) that a busybox binary contains, read from the binary, so that it need not be run: busybox keeps their names
 * as one sorted run of zero-terminated strings that begins with `[` and `[[`.
 */

/** The names in their order, or an empty list if the bytes hold no such run. */
export function busyboxApplets(binary: Uint8Array): readonly string[] {
  const bytes = Buffer.from(binary.buffer, binary.byteOffset, binary.byteLength)
  let longest: readonly string[] = []
  for (let at = bytes.indexOf("[\0[[\0"); at >= 0; at = bytes.indexOf("[\0[[\0", at + 1)) {
    const names = sortedNames(bytes, at)
    if (names.length > longest.length) longest = names
  }
  return longest
}

/** The zero-terminated names from `at` on for as long as each sorts after the one before it. */
function sortedNames(bytes: Buffer, at: number): readonly string[] {
  const names: string[] = []
  for (let start = at; ; ) {
    const end = bytes.indexOf(0, start)
    const name = end < 0 ? "" : bytes.toString("latin1", start, end)
    const last = names.at(-1)
    if (!/^(?:\[{1,2}|[a-z0-9][a-z0-9._+-]*)$/i.test(name) || (last !== undefined && name <= last)) return names
    names.push(name)
    start = end + 1
  }
}
