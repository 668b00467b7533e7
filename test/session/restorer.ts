/** A process that goes on from a snapshot: `node restorer.ts PATH SNAPSHOT`. Prints the digest at the end of the history. */
import { replay } from "../../src/session/session.ts"
import { run } from "./embedded.ts"

const [path, from] = process.argv.slice(2) as [string, string]
console.log((await run(replay(path, { from }))).digest)
