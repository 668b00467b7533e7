/** An editor that debugs: a client library for the Debug Adapter Protocol, with an adapter process of its own. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DebugClient } from "@vscode/debugadapter-testsupport"
import type { DebugProtocol } from "@vscode/debugprotocol"
import { type Position, parsePosition } from "../../../src/events/index.ts"

const adapter = new URL("./adapter.ts", import.meta.url).pathname

type Stopped = DebugProtocol.StoppedEvent["body"]
type Body = Readonly<Record<string, unknown>>

/** What an editor shows of a place. */
export interface Shown {
  readonly position: Position
  readonly hart: number
  /** `pc`, `ra` … `t6` of the hart that stopped. */
  readonly registers: ReadonlyMap<string, bigint>
}

export class Editor {
  readonly client: DebugClient
  /** All that the guest was seen to print, and what the adapter says beside that. */
  printed = ""
  readonly remarks: string[] = []
  readonly progress: string[] = []
  private readonly waiting: ((body: Stopped) => void)[] = []
  private readonly stops: Stopped[] = []
  private isStopped = false

  private constructor(client: DebugClient) {
    this.client = client
    client.defaultTimeout = 60_000
    client.on("output", ({ body }: DebugProtocol.OutputEvent) => {
      if (body.category === "stdout") this.printed += body.output
      else this.remarks.push(body.output)
    })
    client.on("stopped", ({ body }: DebugProtocol.StoppedEvent) => {
      const waiter = this.waiting.shift()
      if (waiter) waiter(body)
      else this.stops.push(body)
    })
    for (const event of ["progressStart", "progressUpdate", "progressEnd"])
      client.on(event, () => this.progress.push(event))
  }

  /** Worlds are looked for in `home`. With a port the adapter listens there. */
  static async start(home: string, port?: number): Promise<Editor> {
    const env = { ...process.env, CHRONOVISOR_HOME: home }
    const editor = new Editor(new DebugClient(process.execPath, adapter, "chronovisor", { env }))
    await editor.client.start(port)
    return editor
  }

  async stop(): Promise<void> {
    if (!this.isStopped) await this.client.stop()
    this.isStopped = true
  }

  /** The body of the answer to a request. */
  async ask<B = Body>(command: string, args: Body = {}): Promise<B> {
    return ((await this.client.send(command, args)) as { body?: B }).body as B
  }

  /** Why a request is not done. */
  async refusal(command: string, args: Body = {}): Promise<string> {
    try {
      await this.client.send(command, args)
    } catch (cause) {
      return (cause as Error).message
    }
    throw new Error(`${command} was done`)
  }

  /** The next stop that nobody has been told of yet. */
  stopped(): Promise<Stopped> {
    const early = this.stops.shift()
    return early ? Promise.resolve(early) : new Promise(resolve => this.waiting.push(resolve))
  }

  /** Begins as editors do; gives the first stop. */
  async launch(args: Body, initialize: Body = {}): Promise<Stopped> {
    await this.ask("initialize", { adapterID: "chronovisor", pathFormat: "path", ...initialize })
    await Promise.all([this.client.waitForEvent("initialized"), this.ask("launch", args)])
    await this.ask("configurationDone")
    return this.stopped()
  }

  /** Makes a motion; gives how it ended. */
  async go(command: string, args: Body = {}): Promise<Stopped> {
    await this.ask(command, { threadId: 1, ...args })
    return this.stopped()
  }

  /** Types into the console. */
  async type(expression: string): Promise<string> {
    return (await this.ask<{ result: string }>("evaluate", { expression, context: "repl" })).result
  }

  async position(): Promise<string> {
    return (await this.type("position")).split(" ")[0]!
  }

  async frames(threadId = 1): Promise<DebugProtocol.StackFrame[]> {
    const { stackFrames } = await this.ask<{ stackFrames: DebugProtocol.StackFrame[] }>("stackTrace", { threadId })
    return stackFrames
  }

  /** The lines of all frames, the innermost first; 0 where there is none. */
  async lines(threadId = 1): Promise<number[]> {
    return (await this.frames(threadId)).map(({ line }) => line)
  }

  /** The variables of a scope of the innermost frame. */
  async scope(name: string, threadId = 1): Promise<ReadonlyMap<string, DebugProtocol.Variable>> {
    const [frame] = await this.frames(threadId)
    const { scopes } = await this.ask<{ scopes: DebugProtocol.Scope[] }>("scopes", { frameId: frame!.id })
    const found = scopes.find(scope => scope.name === name)
    if (found === undefined) throw new Error(`there is no scope ${name}`)
    return this.list(found.variablesReference)
  }

  async list(variablesReference: number): Promise<ReadonlyMap<string, DebugProtocol.Variable>> {
    const { variables } = await this.ask<{ variables: DebugProtocol.Variable[] }>("variables", { variablesReference })
    return new Map(variables.map(variable => [variable.name, variable]))
  }

  async look(threadId = 1): Promise<Shown> {
    const registers = await this.scope("Registers", threadId)
    return {
      position: parsePosition(await this.position()),
      hart: threadId - 1,
      registers: new Map([...registers].map(([name, { value }]) => [name, BigInt(value.split(" ")[0]!)] as const)),
    }
  }
}

/** Runs `body` with a fresh home directory and the path for its world `w`; it is removed afterwards. */
export const withHome = async (body: (home: string, world: string) => Promise<void>): Promise<void> => {
  const home = mkdtempSync(join(tmpdir(), "cv-dap-"))
  try {
    mkdirSync(join(home, "worlds"))
    await body(home, join(home, "worlds", "w.cv"))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Runs `body` with an editor, which is closed afterwards. */
export const withEditor = async (home: string, body: (editor: Editor) => Promise<void>): Promise<void> => {
  const editor = await Editor.start(home)
  try {
    await body(editor)
  } finally {
    await editor.stop()
  }
}
