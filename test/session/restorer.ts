/** A process that replays a world: `node restorer.ts PATH [SNAPSHOT]`. Prints the digest at the end of the history. */
import { replay } from "../../src/session/session.ts"
import { run } from "./embedded.ts"

const [path, from] = process.argv.slice(2) as [string, string | undefined]
console.log((await run(replay(path, from === undefined ? {} : { from }))).digest)
