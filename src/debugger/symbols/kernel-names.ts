/** Names of a kernel's addresses also while it executes where it was loaded, before it turns on translation. */
import { type KernelMapping, kernelVirtual } from "./linux-kernel.ts"
import type { SymbolSource } from "./symbol-source.ts"

/** `symbols` of virtual addresses, asked for physical ones too: those of the kernel's image. */
export const alsoPhysical = (symbols: SymbolSource, mapping: KernelMapping): SymbolSource => ({
  find: name => symbols.find(name),
  at: address => {
    const found = symbols.at(address)
    if (found !== null) return found
    const virtual = kernelVirtual(mapping, address)
    return virtual === null ? null : symbols.at(virtual)
  },
  nearNames: name => symbols.nearNames(name),
  get all() {
    return symbols.all
  },
})
