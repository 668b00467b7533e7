/**
 * Where gdb may look for memory: everywhere, as harts have page tables of their own making; at the boot ROM it is told not to write.
 * GDB manual, section "Memory Map Format".
 */

/** Physical addresses of the boot ROM. */
const ROM = { start: 0x1000n, length: 0xf000n }
const SPACE = 1n << 64n

const region = (type: "ram" | "rom", start: bigint, end: bigint): string =>
  `<memory type="${type}" start="0x${start.toString(16)}" length="0x${(end - start).toString(16)}"/>`

export const memoryMap: string = [
  `<?xml version="1.0"?>`,
  `<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">`,
  `<memory-map>`,
  region("ram", 0n, ROM.start),
  region("rom", ROM.start, ROM.start + ROM.length),
  // A length has 64 bits: no region is as long as the rest.
  region("ram", ROM.start + ROM.length, SPACE / 2n),
  region("ram", SPACE / 2n, SPACE),
  `</memory-map>`,
  ``,
].join("\n")
