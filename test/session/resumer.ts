/** A process that goes on with a world whose guest needs nobody, slowly, so that it can be ended on the way: `node resumer.ts PATH`. */
import { Effect } from "effect"
import { resume } from "../../src/session/session.ts"
import { run, script, Watcher } from "./embedded.ts"

class SlowWatcher extends Watcher {
  override breathe = Effect.sleep(40)
}

await run(resume(process.argv[2]!, new SlowWatcher(), script("")))
