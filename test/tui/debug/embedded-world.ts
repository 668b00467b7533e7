/** The embedded guest's recorded run, opened for debugging, with someone who carries out orders. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll } from "vitest"
import { type Debugger, openDebugger } from "../../../src/debugger/debugger.ts"
import { WorldStore } from "../../../src/events/index.ts"
import type { RunOptions } from "../../../src/session/record.ts"
import { record } from "../../../src/session/session.ts"
import type { WorldSpec } from "../../../src/session/world-spec.ts"
import type { Key } from "../../../src/tui/debug/key.ts"
import type { Size } from "../../../src/tui/debug/layout.ts"
import { type ForkRequest, Operator } from "../../../src/tui/debug/operator.ts"
import { embedded, run, script, Watcher } from "../../session/embedded.ts"

export const small: Size = { columns: 80, rows: 24 }
export const large: Size = { columns: 200, rows: 50 }

/** What is typed into the guest while it is recorded. */
const TYPED = "add first note\nlist\nquit\n"

export const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

/** Recorded worlds by what they are, for all tests of a file. */
const worlds = new Map<string, Promise<string>>()
const directory = mkdtempSync(join(tmpdir(), "cv-debug-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const recorded = (name: string, spec: WorldSpec, options: RunOptions): Promise<string> => {
  const made = async () => {
    const path = join(directory, `${worlds.size}.cv`)
    await run(record(path, spec, new Watcher(), options))
    return path
  }
  const world = worlds.get(name) ?? made()
  worlds.set(name, world)
  return world
}

const opened = (path: string, body: (session: Debugger) => Promise<void>): Promise<void> =>
  run(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).openReadOnly(path)
      const session = yield* openDebugger(world, breathe)
      yield* Effect.promise(() => body(session))
    }),
  )

/** Records the guest, to which `typed` is said, and opens its history; `body` has it until it is done. */
export const withDebugger = async (body: (session: Debugger) => Promise<void>, typed = TYPED): Promise<void> => {
  const spec = embedded({ harts: 2, memoryBytes: 16 << 20 })
  await opened(await recorded(typed, spec, script(typed)), body)
}

/** The same with a guest that was compiled with debug information. */
export const withDebugInformation = async (body: (session: Debugger) => Promise<void>): Promise<void> => {
  const bytes = new Uint8Array(readFileSync(new URL("../../../scenarios/guests/race/race.elf", import.meta.url)))
  const spec = embedded({ harts: 2, memoryBytes: 16 << 20, kernel: { name: "race.elf", bytes }, disks: [] })
  const until = { kind: "console", pattern: /worker/ } as const
  await opened(await recorded("race", spec, { until, script: null }), body)
}

/** An operator, and what it asked for from outside. */
export class Hands {
  readonly operator: Operator
  readonly forks: ForkRequest[] = []
  left: string | null = null

  constructor(session: Debugger, size: Size = small) {
    this.operator = new Operator({
      debugger: session,
      size,
      breathe,
      forkWorld: request => {
        this.forks.push(request)
        return request.name === "bad name"
          ? Promise.reject(new Error("That is no name; give another."))
          : Promise.resolve(`${request.name} begins here; resume it.`)
      },
      onQuit: why => {
        this.left = why
      },
    })
  }

  get state() {
    return this.operator.getSight().state
  }
  get scene() {
    return this.operator.getSight().scene
  }
  get said(): string {
    const { mode, message } = this.state
    return (mode.kind === "prompt" ? mode.prompt.problem : null) ?? message?.text ?? ""
  }

  /** Presses keys one after the other and waits until all has come to rest. */
  async press(...keys: readonly Key[]): Promise<void> {
    for (const key of keys) this.operator.press(key)
    await this.operator.idle()
  }

  /** Types a command. */
  async command(text: string): Promise<void> {
    await this.press(":", ...text, "enter")
  }
}
