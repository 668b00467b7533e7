/**
 * A process of its own that carries a world on from a snapshot to the end of its history: `restore-process WORLD SNAPSHOT` prints what
 * it came to as JSON. It shares nothing with who started it but the file.
 */
import { Effect, Schema } from "effect"
import { WorldStore } from "../../events/index.ts"
import { replay } from "../../session/session.ts"

export const RestoreReport = Schema.Struct({
  digest: Schema.String,
  events: Schema.Int,
  console: Schema.Uint8ArrayFromBase64,
})
export type RestoreReport = typeof RestoreReport.Type

export const RestoreReportText = Schema.fromJsonString(RestoreReport)

const main = (path: string, snapshot: string): Effect.Effect<void> => {
  const output: Uint8Array[] = []
  return replay(path, { from: snapshot, show: bytes => void output.push(bytes) }).pipe(
    Effect.flatMap(({ digest, events }) =>
      Schema.encodeEffect(RestoreReportText)({ digest, events, console: Buffer.concat(output) }),
    ),
    Effect.match({
      onSuccess: text => void process.stdout.write(text),
      onFailure: error => {
        process.stderr.write(`${error.message}\n`)
        process.exitCode = 1
      },
    }),
    Effect.provide(WorldStore.layer),
  )
}

if (import.meta.main) Effect.runFork(main(process.argv[2]!, process.argv[3]!))
