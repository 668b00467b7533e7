/** Names of causes of traps, for who may not look into the instruction set itself. */
export { causeName } from "../riscv/trap.ts"
