/** What gdb is told of the harts: an RV64 with these registers. GDB manual, appendix "Target Descriptions". */
import { features } from "./registers.ts"

/**
 * The document `target.xml`. No operating system is named: for one that gdb knows it would step by planting breakpoints where it
 * believes that the next instruction is, and so go past every trap.
 */
export const targetDescription: string = [
  `<?xml version="1.0"?>`,
  `<!DOCTYPE target SYSTEM "gdb-target.dtd">`,
  `<target version="1.0">`,
  `<architecture>riscv:rv64</architecture>`,
  `<osabi>none</osabi>`,
  ...features.flatMap(({ name, registers }) => [
    `<feature name="${name}">`,
    ...registers.map(register => `<reg name="${register.name}" bitsize="${register.bits}" type="${register.type}"/>`),
    `</feature>`,
  ]),
  `</target>`,
  ``,
].join("\n")
