/** Where memory is to be watched that somebody names by its virtual address. */
import type { Debugger } from "./debugger.ts"
import type { WatchedAccess, WatchPlace } from "./watched-memory.ts"

const PAGE_BYTES = 4096
/** Addresses from here on are the kernel's, in every address space. */
const KERNEL_HALF = 1n << 63n

/**
 * Memory that is the same in every address space is watched where it lies, whoever writes to it by whichever address; a program's own
 * by its virtual address.
 */
export const watchPlaces = (
  debug: Debugger,
  hart: number,
  address: bigint,
  bytes: number,
  access: WatchedAccess,
): readonly WatchPlace[] => {
  const inSpace = { kind: "watchpoint", space: "virtual", address, bytes, access } as const
  const places: { kind: "watchpoint"; space: "physical"; address: bigint; bytes: number; access: WatchedAccess }[] = []
  for (let at = 0; at < bytes; ) {
    const virtual = BigInt.asUintN(64, address + BigInt(at))
    const isEverywhere = virtual >= KERNEL_HALF || debug.inspection.walk(hart, virtual).steps.length === 0
    const physical = isEverywhere ? debug.physical(virtual, hart) : null
    if (physical === null) return [inSpace]
    const part = Math.min(bytes - at, PAGE_BYTES - Number(virtual & 0xfffn))
    const last = places.at(-1)
    if (last && last.address + BigInt(last.bytes) === physical) last.bytes += part
    else places.push({ ...inSpace, space: "physical", address: physical, bytes: part })
    at += part
  }
  return places
}
