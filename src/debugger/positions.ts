/** What the command line needs of positions. */
export { formatPosition } from "../events/index.ts"
export { requireWithin } from "../session/position-within.ts"
