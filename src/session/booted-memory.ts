/** What a recorded machine's memory holds at the beginning, read from the contents of its world without a machine. */
import type { World } from "../events/index.ts"
import { linuxLoadAddress } from "../machine/kernel-image.ts"
import { RAM_BASE } from "../machine/machine-config.ts"

const HEADER_BYTES = 64

/** Reads physical memory; null where there is none. */
export type ReadMemory = (address: number, length: number) => Uint8Array | null

/** Memory with a Linux kernel as it is loaded, and zeros elsewhere; null where the world boots something else. */
export const bootedLinuxMemory = (world: World): ReadMemory | null => {
  const [{ kernel, memoryBytes }] = world.genesis.machines
  if (kernel === null) return null
  const start = linuxLoadAddress(world.readBlobPartNow(kernel.hash, 0, HEADER_BYTES))
  if (start === null) return null
  return (address, length) => {
    if (address < RAM_BASE || address + length > RAM_BASE + memoryBytes) return null
    const skipped = Math.max(0, start - address)
    if (skipped >= length) return new Uint8Array(length)
    const part = world.readBlobPartNow(kernel.hash, address + skipped - start, length - skipped)
    if (part.length === length) return part
    const bytes = new Uint8Array(length)
    bytes.set(part, skipped)
    return bytes
  }
}
