/** A server for gdb over a recorded history; who opens the connection is not its affair. */
export { isElf, readElf } from "../../machine/elf.ts"
export { bootedSymbols, elfSymbolSource } from "../symbols/elf-symbols.ts"
export { refusal } from "./refusal.ts"
export { GdbSession, type GdbSessionOptions } from "./session.ts"
