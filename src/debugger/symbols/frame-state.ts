/** One call as it stands in a stopped program: what is needed to read its variables and to find its caller. */

export interface FrameState {
  /** Where this call goes on: the program counter, or in a caller the address returned to. */
  readonly pc: bigint
  /** An address of the instruction being executed: `pc`, or in a caller one inside of the call. */
  readonly codeAddress: bigint
  /** How far from the addresses in its file the program at `pc` is loaded; 0 unless it is position independent. */
  readonly bias: bigint
  /** A register by its number in DWARF: x0 to x31 are 0 to 31, f0 to f31 are 32 to 63. Null if it is not known any more. */
  register(number: number): bigint | null
  /** Exactly `length` bytes of memory, or null if they cannot be read. */
  memory(address: bigint, length: number): Uint8Array | null
  /** The canonical frame address: the stack pointer of the caller at the call. */
  cfa(): bigint | null
  caller(): FrameState | null
}

/** A little-endian number of up to 8 bytes from memory. */
export function readNumber(frame: Pick<FrameState, "memory">, address: bigint, length: number): bigint | null {
  const bytes = frame.memory(BigInt.asUintN(64, address), length)
  return bytes === null ? null : numberIn(bytes)
}

/** The little-endian number that bytes are. */
export function numberIn(bytes: Uint8Array): bigint {
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!)
  return value
}

/** The low `length` bytes of a number, little-endian. */
export function bytesOf(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = BigInt.asUintN(8 * length, value)
  for (let index = 0; index < length; index++, rest >>= 8n) bytes[index] = Number(rest & 0xffn)
  return bytes
}
