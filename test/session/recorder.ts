/** A process that records the embedded guest: `node recorder.ts PATH`. */
import { record } from "../../src/session/session.ts"
import { embedded, run, script, Watcher } from "./embedded.ts"

await run(
  record(
    process.argv[2]!,
    embedded(),
    new Watcher(),
    script("add first note\nlist\ncrash\nadd second note\nlist\nstat\nquit\n"),
  ),
)
