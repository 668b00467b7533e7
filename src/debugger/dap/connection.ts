/** A client on two streams: frames and messages are the library's, what is done with them is the session's. */
import { DebugSession, Event, Response } from "@vscode/debugadapter"
import type { DebugProtocol } from "@vscode/debugprotocol"

/** What a connection tells. */
export interface Listener {
  readonly received: (request: DebugProtocol.Request) => void
  /** The client has gone, or has sent its last. */
  readonly closed: () => void
}

export class Connection extends DebugSession {
  private readonly listener: Listener
  private isClosed = false

  constructor(listener: Listener) {
    super()
    this.listener = listener
    // The library ends the process then.
    this.removeAllListeners()
    this.on("close", () => this.close())
    this.on("error", (event: { readonly body?: unknown }) => this.tellProblem(event.body))
  }

  private close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.listener.closed()
  }

  /** A message that cannot be read has no number to answer to; a stream that cannot be written has no reader. */
  private tellProblem(what: unknown): void {
    const problem = String(what)
    if (/Stream error/.test(problem)) return this.close()
    this.tell("output", {
      category: "important",
      output: `A message of the client could not be read (${problem}); it was left out.\n`,
    })
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    this.listener.received(request)
  }

  override shutdown(): void {
    this.close()
  }

  tell(event: string, body: object = {}): void {
    if (!this.isClosed) this.sendEvent(new Event(event, body))
  }

  respond(request: DebugProtocol.Request, body: object = {}): void {
    if (!this.isClosed) this.sendResponse({ ...new Response(request), body } as DebugProtocol.Response)
  }

  /** Answers that it is not done, in one sentence that says why. */
  refuse(request: DebugProtocol.Request, sentence: string): void {
    const error = { id: 1, format: "{sentence}", variables: { sentence }, showUser: true }
    if (!this.isClosed)
      this.sendResponse({ ...new Response(request, sentence), body: { error } } as DebugProtocol.Response)
  }
}
