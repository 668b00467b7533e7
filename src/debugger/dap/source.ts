/** A source file as the protocol names it. */
import { posix } from "node:path"
import type { DebugProtocol } from "@vscode/debugprotocol"

export const sourceOf = (file: string): DebugProtocol.Source => ({ name: posix.basename(file), path: file })
