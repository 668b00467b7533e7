/** Going about in a recorded history, and asking it questions. */
export { parseAddress, type WrittenAddress } from "./address-text.ts"
export { Debugger, openDebugger, type Stop, type StopReason } from "./debugger.ts"
export { AddressMalformed, AddressUnmapped } from "./errors.ts"
export { Inspection } from "./inspection.ts"
export type { Finding, Question, Searchers, Stretch } from "./search/question.ts"
export { search } from "./search/search.ts"
export type { StopPlace, StopPoint } from "./stop-point.ts"
export { formatAddress, type SymbolSource } from "./symbols/symbol-source.ts"
