/** Numbers, bytes and text in hexadecimal, as gdb's remote protocol has them. GDB manual, appendix "GDB Remote Serial Protocol". */
import { Buffer } from "node:buffer"

/** A number without leading zeros and without a sign; null for anything else, and for more than 64 bits. */
export const parseNumber = (text: string): bigint | null => (/^[\da-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : null)

/** The same for one that is at most `max`, which is a safe integer. */
export const parseCount = (text: string, max: number): number | null => {
  const number = parseNumber(text)
  return number === null || number > BigInt(max) ? null : Number(number)
}

/** Two digits for each byte. */
export const hexOfBytes = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

/** Text as the digits of its UTF-8 bytes. */
export const hexOfText = (text: string): string => Buffer.from(text).toString("hex")

/** The text whose digits are given; null where they are none. */
export const textOfHex = (digits: string): string | null =>
  digits.length % 2 === 0 && /^[\da-f]*$/i.test(digits) ? Buffer.from(digits, "hex").toString() : null

/** A value in so many bytes, lowest byte first. */
export const hexOfValue = (value: bigint, bytes: number): string => {
  const digits = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, "0")
  return digits.match(/../g)!.reverse().join("")
}
