// How a hart reaches a device: the widths of one access and the value that stands for a refused one.

/** Bytes in one access as a device sees it. Eight-byte accesses reach a device as two of four bytes. */
export type AccessSize = 1 | 2 | 4

/**
 * The widths a device takes, as the sum of some of 1, 2, 4 and 8 (each power of two is its own bit).
 * A width that is missing is an access fault, as is every access that is not naturally aligned.
 */
export type AccessSizes = number

/** What a load answers instead of an unsigned value when the access faults. */
export const ACCESS_FAULT = -1
