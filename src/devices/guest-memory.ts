// The RAM of the machine as a device reaches it by direct memory access.

/** All values are little-endian. Every access but `contains` requires that the whole range is contained. */
export interface GuestMemory {
  /** Whether [address, address + length) is RAM. Any non-negative integers below 2^53 may be asked. */
  contains(address: number, length: number): boolean
  /** A copy of `length` bytes. */
  read(address: number, length: number): Uint8Array
  write(address: number, bytes: Uint8Array): void
  load16(address: number): number
  /** Unsigned. */
  load32(address: number): number
  store16(address: number, value: number): void
  store32(address: number, value: number): void
}
