/**
 * Packets of gdb's remote protocol as bytes: framing, checksums, escapes, acknowledgments, and the interrupt byte.
 * GDB manual, appendix "GDB Remote Serial Protocol", sections "Overview", "Packet Acknowledgment" and "Interrupts".
 *
 * A payload is a string with one character for each byte.
 */

/** What came from the other end. */
export type Received =
  | { readonly kind: "packet"; readonly payload: string }
  /** A packet that is not what was sent, or longer than was agreed. */
  | { readonly kind: "damaged" }
  /** Somebody wants what goes on to stop. */
  | { readonly kind: "interrupt" }
  /** The last packet arrived whole, or did not. */
  | { readonly kind: "acknowledged" }
  | { readonly kind: "refused" }

/** The longest packet that is taken, with its frame: gdb is told. */
export const PACKET_BYTES_MAX = 0x10000

const [DOLLAR, HASH, PLUS, MINUS, INTERRUPT, ESCAPE, STAR] = [0x24, 0x23, 0x2b, 0x2d, 0x03, 0x7d, 0x2a]
const ESCAPED = 0x20

const needsEscape = (byte: number): boolean => byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR

/** Bytes as the part of a payload that is binary: those that mean something in a frame are escaped. */
export const escapeBinary = (bytes: Uint8Array): string => {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; ) {
    let end = at
    while (end < bytes.length && end - at < 8192 && !needsEscape(bytes[end]!)) end++
    parts.push(String.fromCharCode(...bytes.subarray(at, end)))
    if (end < bytes.length && needsEscape(bytes[end]!)) parts.push(String.fromCharCode(ESCAPE, bytes[end++]! ^ ESCAPED))
    at = end
  }
  return parts.join("")
}

/** The packet with a payload in which nothing is left to be escaped. */
export const encodePacket = (payload: string): Uint8Array => {
  const bytes = new Uint8Array(payload.length + 4)
  let sum = 0
  bytes[0] = DOLLAR
  for (let at = 0; at < payload.length; at++) {
    const byte = payload.charCodeAt(at)
    sum += byte
    bytes[at + 1] = byte
  }
  const digits = (sum & 0xff).toString(16).padStart(2, "0")
  bytes[payload.length + 1] = HASH
  bytes[payload.length + 2] = digits.charCodeAt(0)
  bytes[payload.length + 3] = digits.charCodeAt(1)
  return bytes
}

export const acknowledgment = (isWhole: boolean): Uint8Array => Uint8Array.of(isWhole ? PLUS : MINUS)

/** Where in a packet the reader is. */
type Place = "outside" | "payload" | "first digit" | "second digit"

/** Takes bytes in any pieces and finds the packets in them. */
export class PacketReader {
  /** Without, what a checksum says is not asked: the connection is reliable, and nobody would send again. */
  checks = true
  private place: Place = "outside"
  private readonly payload = new Uint8Array(PACKET_BYTES_MAX)
  private length = 0
  private isTooLong = false
  private isEscaped = false
  private sum = 0
  private digits = ""

  take(bytes: Uint8Array): Received[] {
    const received: Received[] = []
    for (const byte of bytes) {
      const found = this.takeByte(byte)
      if (found !== null) received.push(found)
    }
    return received
  }

  private takeByte(byte: number): Received | null {
    // Wherever it comes: the sender gave up the packet before.
    if (byte === DOLLAR) {
      this.begin()
      return null
    }
    switch (this.place) {
      case "outside":
        if (byte === INTERRUPT) return { kind: "interrupt" }
        if (byte === PLUS) return { kind: "acknowledged" }
        return byte === MINUS ? { kind: "refused" } : null
      case "payload":
        if (byte === HASH) this.place = "first digit"
        else this.takePayload(byte)
        return null
      case "first digit":
        this.digits = String.fromCharCode(byte)
        this.place = "second digit"
        return null
      case "second digit":
        this.place = "outside"
        return this.end(this.digits + String.fromCharCode(byte))
    }
  }

  private begin(): void {
    this.place = "payload"
    this.length = 0
    this.isTooLong = false
    this.isEscaped = false
    this.sum = 0
  }

  private takePayload(byte: number): void {
    this.sum = (this.sum + byte) & 0xff
    if (byte === ESCAPE && !this.isEscaped) {
      this.isEscaped = true
      return
    }
    if (this.length === this.payload.length) this.isTooLong = true
    else this.payload[this.length++] = this.isEscaped ? byte ^ ESCAPED : byte
    this.isEscaped = false
  }

  private end(digits: string): Received {
    const isWhole = !this.checks || (/^[\da-f]{2}$/i.test(digits) && Number.parseInt(digits, 16) === this.sum)
    if (this.isTooLong || !isWhole) return { kind: "damaged" }
    return { kind: "packet", payload: latin1(this.payload.subarray(0, this.length)) }
  }
}

const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}
