/** A server for the Debug Adapter Protocol over a recorded history. */
export { type DapOutside, serveDap } from "./session.ts"
