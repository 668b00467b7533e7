/** What the command line needs of positions, and the error of one that is not there. */
export { comparePositions, formatPosition } from "../events/index.ts"
export { PositionNotReached } from "../session/errors.ts"
