/**
 * Files that gdb may read on this side. There is one: the names of the guest's addresses, as an ELF file.
 * GDB manual, sections "Host I/O Packets", "Errno Values" and "struct stat".
 */
import { Buffer } from "node:buffer"
import { parseCount, textOfHex } from "./hex.ts"
import { escapeBinary } from "./packet.ts"

/** What the one file is called. */
export const SYMBOL_FILE = "/vmlinux"

const errno = { ENOENT: 2, EBADF: 9, EACCES: 13, EINVAL: 22, EMFILE: 24 } as const
const failed = (error: keyof typeof errno): string => `F-1,${errno[error].toString(16)}`

const FILES_MAX = 64
/** So that a reply with everything escaped is no longer than a packet that gdb sends. */
const READ_MAX = 0x7000
const STAT_BYTES = 64
/** A file, readable by all. */
const MODE = 0o100444
const BLOCK_BYTES = 4096

export class FileService {
  private readonly content: Uint8Array | null
  private readonly opened = new Set<number>()

  constructor(content: Uint8Array | null) {
    this.content = content
  }

  /** The reply to a packet `vFile:OPERATION:PARAMETERS`; empty for an operation that is not served. */
  serve(operation: string, parameters: string): string {
    const fields = parameters.split(",")
    switch (operation) {
      case "setfs":
        return "F0"
      case "open":
        return this.open(fields)
      case "pread":
        return this.read(fields)
      case "fstat":
        return this.withFile(fields, content => {
          const stat = statOf(content)
          return `F${stat.length.toString(16)};${escapeBinary(stat)}`
        })
      case "close":
        return this.withFile(fields, (_, file) => {
          this.opened.delete(file)
          return "F0"
        })
      default:
        return ""
    }
  }

  private open([name = "", flags = ""]: readonly string[]): string {
    if (this.content === null || textOfHex(name) !== SYMBOL_FILE) return failed("ENOENT")
    if (parseCount(flags, 0) !== 0) return failed("EACCES")
    for (let file = 3; file < 3 + FILES_MAX; file++) {
      if (this.opened.has(file)) continue
      this.opened.add(file)
      return `F${file.toString(16)}`
    }
    return failed("EMFILE")
  }

  private read(fields: readonly string[]): string {
    const count = parseCount(fields[1] ?? "", Number.MAX_SAFE_INTEGER)
    const offset = parseCount(fields[2] ?? "", Number.MAX_SAFE_INTEGER)
    if (count === null || offset === null) return failed("EINVAL")
    return this.withFile(fields, content => {
      const part = content.subarray(offset, offset + Math.min(count, READ_MAX))
      return `F${part.length.toString(16)};${escapeBinary(part)}`
    })
  }

  private withFile([file = ""]: readonly string[], use: (content: Uint8Array, file: number) => string): string {
    const number = parseCount(file, FILES_MAX * 2)
    if (this.content === null || number === null || !this.opened.has(number)) return failed("EBADF")
    return use(this.content, number)
  }
}

/** Big-endian, every field four bytes but the three sizes, which have eight. */
const statOf = (content: Uint8Array): Uint8Array => {
  const stat = Buffer.alloc(STAT_BYTES)
  stat.writeUInt32BE(MODE, 8)
  stat.writeUInt32BE(1, 12)
  stat.writeBigUInt64BE(BigInt(content.length), 28)
  stat.writeBigUInt64BE(BigInt(BLOCK_BYTES), 36)
  stat.writeBigUInt64BE(BigInt(Math.ceil(content.length / 512)), 44)
  return stat
}
