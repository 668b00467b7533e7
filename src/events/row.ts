/**
 * A row of the log in canonical bytes, and the digest that chains it to the row before. All integers little-endian:
 *
 *     seq u64, round u64, instret u64, machine u32, hart u32, version u16, kind length u8, kind, payload length u32, payload
 */
import { Buffer } from "node:buffer"
import { hash } from "node:crypto"
import type { Position } from "./position.ts"

export interface Row {
  readonly seq: number
  readonly position: Position
  readonly kind: string
  readonly version: number
  readonly payload: Uint8Array
}

export const digestBytes = 32
/** The digest "before" event 0. */
export const zeroDigest: Uint8Array = new Uint8Array(digestBytes)
/** More in one event is a mistake of the caller: a large content is split or becomes a blob. */
export const payloadBytesMax = 1 << 20

const fixedBytes = 8 + 8 + 8 + 4 + 4 + 2 + 1 + 4

export const rowBytes = (kind: string, payload: Uint8Array): number => fixedBytes + kind.length + payload.length

const writeNatural = (target: Buffer, offset: number, value: number): void => {
  target.writeUInt32LE(value >>> 0, offset)
  target.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4)
}

/**
 * Writes the canonical bytes of a row at `offset`; gives the offset behind them.
 * @throws RangeError when a number is out of its range or the payload is larger than `payloadBytesMax`.
 */
export const encodeRow = (
  target: Buffer,
  offset: number,
  seq: number,
  position: Position,
  kind: string,
  version: number,
  payload: Uint8Array,
): number => {
  const { round, machine, hart, instret } = position
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(round) || !Number.isSafeInteger(instret))
    throw new RangeError(`event ${seq} has a position that is not a whole number below 2^53`)
  if (payload.length > payloadBytesMax) throw new RangeError(`event ${seq} has ${payload.length} bytes of payload`)
  writeNatural(target, offset, seq)
  writeNatural(target, offset + 8, round)
  writeNatural(target, offset + 16, instret)
  target.writeUInt32LE(machine, offset + 24)
  target.writeUInt32LE(hart, offset + 28)
  target.writeUInt16LE(version, offset + 32)
  target.writeUInt8(kind.length, offset + 34)
  let end = offset + 35 + target.write(kind, offset + 35, "latin1")
  end = target.writeUInt32LE(payload.length, end)
  target.set(payload, end)
  return end + payload.length
}

const readNatural = (source: Buffer, offset: number): number =>
  source.readUInt32LE(offset) + source.readUInt32LE(offset + 4) * 0x1_0000_0000

/** The row whose canonical bytes begin at `offset`; its payload shares memory with `source`. */
export const decodeRow = (source: Buffer, offset: number): Row => {
  const kindEnd = offset + 35 + source.readUInt8(offset + 34)
  const payloadLength = source.readUInt32LE(kindEnd)
  return {
    seq: readNatural(source, offset),
    position: {
      round: readNatural(source, offset + 8),
      instret: readNatural(source, offset + 16),
      machine: source.readUInt32LE(offset + 24),
      hart: source.readUInt32LE(offset + 28),
    },
    version: source.readUInt16LE(offset + 32),
    kind: source.toString("latin1", offset + 35, kindEnd),
    payload: source.subarray(kindEnd + 4, kindEnd + 4 + payloadLength),
  }
}

/** The same bytes without what Buffer adds. */
export const plainBytes = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Computes the digests of rows one after another. */
export class DigestChain {
  private scratch = Buffer.alloc(digestBytes + fixedBytes + 4096)
  private previous: Uint8Array

  constructor(previous: Uint8Array) {
    this.previous = previous
  }

  /** Digest of the row encoded in `source` from `start` to `end`. */
  nextEncoded(source: Buffer, start: number, end: number): Uint8Array {
    this.reserve(end - start)
    source.copy(this.scratch, digestBytes, start, end)
    return this.finish(digestBytes + end - start)
  }

  next(row: Row): Uint8Array {
    this.reserve(rowBytes(row.kind, row.payload))
    return this.finish(encodeRow(this.scratch, digestBytes, row.seq, row.position, row.kind, row.version, row.payload))
  }

  private reserve(count: number): void {
    if (this.scratch.length < digestBytes + count) this.scratch = Buffer.alloc(digestBytes + count * 2)
  }

  private finish(end: number): Uint8Array {
    this.scratch.set(this.previous, 0)
    this.previous = hash("sha256", this.scratch.subarray(0, end), "buffer")
    return this.previous
  }
}
