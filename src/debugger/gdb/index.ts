/** A server for gdb over a recorded history; who opens the connection is not its affair. */
export { refusal } from "./refusal.ts"
export { GdbSession, type GdbSessionOptions } from "./session.ts"
