/** The terminal, pipes and signals of this process, as the outside of a session. */

export { Answerless } from "./answerless.ts"
export { type ConsoleOptions, type HostConsole, isLive, openConsole, openQuietConsole } from "./console.ts"
export { signalExitCode } from "./ending-signals.ts"
export { type EscapeCommand, EscapeKeys, escapeHelp } from "./escape-keys.ts"
