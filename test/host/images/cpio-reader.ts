/** Reads "newc" cpio archives in tests, independently of how they are written. */
export type CpioRecord = {
  path: string
  inode: number
  mode: number
  uid: number
  gid: number
  mtime: number
  major: number
  minor: number
  data: Uint8Array
}

export function readCpio(bytes: Uint8Array): CpioRecord[] {
  const records: CpioRecord[] = []
  const decoder = new TextDecoder()
  for (let at = 0; ; ) {
    if (decoder.decode(bytes.subarray(at, at + 6)) !== "070701") throw new Error(`no record at byte ${at}`)
    const field = (index: number) =>
      Number.parseInt(decoder.decode(bytes.subarray(at + 6 + 8 * index, at + 14 + 8 * index)), 16)
    const nameEnd = at + 110 + field(11)
    const path = decoder.decode(bytes.subarray(at + 110, nameEnd - 1))
    if (path === "TRAILER!!!") return records
    const start = (nameEnd + 3) & ~3
    const end = start + field(6)
    const [inode, mode, uid, gid, mtime] = [field(0), field(1), field(2), field(3), field(5)]
    const [major, minor] = [field(9), field(10)]
    records.push({ path, inode, mode, uid, gid, mtime, major, minor, data: bytes.subarray(start, end) })
    at = (end + 3) & ~3
  }
}
