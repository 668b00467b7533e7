/**
 * One client of the Debug Adapter Protocol: which requests there are, in what order they are done, and what moves the machine.
 *
 * Specification: microsoft.github.io/debug-adapter-protocol. Requests are done one after another in the order they come; those that end
 * a motion are done at once. Motions are answered before they begin and told of when they are over.
 */
import type { DebugProtocol } from "@vscode/debugprotocol"
import { Cause, Clock, Deferred, Effect, FiberSet, Queue, type Scope } from "effect"
import { formatPosition, type PositionMalformed } from "../../events/index.ts"
import type { TimelineError } from "../../session/timeline/timeline.ts"
import type { Debugger, Stop } from "../debugger.ts"
import type { CallerUnknown } from "../errors.ts"
import { goToWritten } from "../written-moment.ts"
import { integerIn, launchArguments, objectOf, refuse, textOf } from "./arguments.ts"
import * as breakpoints from "./breakpoint-requests.ts"
import { Connection } from "./connection.ts"
import { Debuggee } from "./debuggee.ts"
import { type CommandedMotion, evaluate } from "./evaluation.ts"
import * as inspection from "./inspection-requests.ts"
import { Motion } from "./motion.ts"
import { sentenceOf } from "./refusal.ts"
import { SourcePaths } from "./source.ts"
import { type MotionName, stoppedBody } from "./stop-event.ts"

/** What a session needs of the world outside. Errors have a sentence as their message. */
export interface DapOutside {
  /** The folder in which the adapter was started. */
  readonly directory: string
  /** Opens a world by what a launch configuration calls it, with programs that its guest runs. */
  readonly openWorld: (world: string, programs: readonly string[]) => Effect.Effect<Debugger, Error, Scope.Scope>
}

type Args = Readonly<Record<string, unknown>>

/** What a request is answered, and what is done after that. */
interface Answer {
  readonly body?: object
  readonly afterwards?: () => void
}

type Way = (going: Motion["going"]) => Effect.Effect<Stop, TimelineError | CallerUnknown | PositionMalformed>

/** A motion before it is begun. */
interface Plan {
  readonly title: string
  readonly isForth: boolean
  readonly name: MotionName
  readonly way: Way
  /** Changed breakpoints count from where it is. */
  readonly resumes?: true
}

const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsEvaluateForHovers: true,
  supportsStepBack: true,
  supportsGotoTargetsRequest: false,
  supportsExceptionInfoRequest: true,
  supportsDelayedStackTraceLoading: true,
  supportsLoadedSourcesRequest: true,
  supportsTerminateRequest: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsReadMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsCancelRequest: true,
  supportsSteppingGranularity: true,
  supportsInstructionBreakpoints: true,
  supportsExceptionFilterOptions: true,
  exceptionBreakpointFilters: [...breakpoints.exceptionFilters],
}

/** Done at once, whatever else is being done. */
const urgent = new Set(["pause", "cancel", "disconnect", "terminate"])
/** Done also while the machine goes: they do not look at it. */
const whileGoing = new Set([
  ...urgent,
  ...["initialize", "launch", "attach", "configurationDone", "threads", "loadedSources"],
  ...["setBreakpoints", "setFunctionBreakpoints", "setInstructionBreakpoints", "setDataBreakpoints"],
  "setExceptionBreakpoints",
])

class DapSession {
  private readonly connection: Connection
  private readonly outside: DapOutside
  private readonly run: (effect: Effect.Effect<void, never, Scope.Scope>) => void
  private readonly clock: Clock.Clock
  private readonly ended: Deferred.Deferred<void>
  private debuggee: Debuggee | null = null
  private motion: Motion | null = null
  private motions = 0
  /** Of the client's first line. */
  private lineBase = 1
  private showsProgress = false
  private stopsOnEntry = true
  /** Of the last stop that the client was told of. */
  private toldHart = 0

  constructor(
    connection: Connection,
    outside: DapOutside,
    run: DapSession["run"],
    clock: Clock.Clock,
    ended: Deferred.Deferred<void>,
  ) {
    this.connection = connection
    this.outside = outside
    this.run = run
    this.clock = clock
    this.ended = ended
  }

  /** Does a request and answers it. */
  readonly handle = Effect.fnUntraced(function* (this: DapSession, request: DebugProtocol.Request) {
    yield* Effect.matchCause(this.perform(String(request.command), objectOf(request.arguments)), {
      onSuccess: ({ body, afterwards }) => {
        this.connection.respond(request, body)
        afterwards?.()
      },
      onFailure: cause => {
        if (!Cause.hasInterruptsOnly(cause)) this.connection.refuse(request, sentenceOf(cause))
      },
    })
  })

  private perform(command: string, args: Args): Effect.Effect<Answer, Error, Scope.Scope> {
    switch (command) {
      case "initialize":
        return this.initialize(args)
      case "launch":
      case "attach":
        return this.open(args)
      case "disconnect":
        return Effect.succeed({ afterwards: () => this.end() })
      case "terminate":
        return Effect.succeed({ afterwards: () => this.connection.tell("terminated") })
      default:
        return this.debuggee === null
          ? refuse(`No world is being debugged yet, so there is nothing for ${command}; send launch or attach first.`)
          : this.performOn(this.debuggee, command, args)
    }
  }

  private performOn(debuggee: Debuggee, command: string, args: Args): Effect.Effect<Answer, Error, Scope.Scope> {
    if (this.motion !== null && !whileGoing.has(command))
      return refuse(`The machine is going, so ${command} has to wait; pause it first.`)
    const looked = (body: Effect.Effect<object, Error>) => Effect.map(body, found => ({ body: found }))
    const changed = (body: Effect.Effect<object, Error>) =>
      Effect.map(body, found => {
        this.motion?.breakpointsChanged()
        return { body: found }
      })
    const { lineBase } = this
    switch (command) {
      case "configurationDone":
        return Effect.succeed({ afterwards: () => this.begin(debuggee) })
      case "threads":
        return Effect.succeed({ body: inspection.threads(debuggee, this.motion === null) })
      case "stackTrace":
        return looked(inspection.stackTrace(debuggee, args, lineBase))
      case "scopes":
        return looked(inspection.scopes(debuggee, args))
      case "variables":
        return looked(inspection.variables(debuggee, args))
      case "readMemory":
        return looked(inspection.readMemory(debuggee, args))
      case "disassemble":
        return looked(inspection.disassemble(debuggee, args, lineBase))
      case "exceptionInfo":
        return looked(inspection.exceptionInfo(debuggee))
      case "loadedSources":
        return Effect.succeed({ body: inspection.loadedSources(debuggee) })
      case "dataBreakpointInfo":
        return looked(breakpoints.dataBreakpointInfo(debuggee, args))
      case "setBreakpoints":
        return changed(breakpoints.setBreakpoints(debuggee, args, lineBase))
      case "setFunctionBreakpoints":
        return changed(breakpoints.setFunctionBreakpoints(debuggee, args))
      case "setInstructionBreakpoints":
        return changed(breakpoints.setInstructionBreakpoints(debuggee, args))
      case "setDataBreakpoints":
        return changed(breakpoints.setDataBreakpoints(debuggee, args))
      case "setExceptionBreakpoints":
        return changed(breakpoints.setExceptionBreakpoints(debuggee, args))
      case "evaluate":
        return this.evaluate(debuggee, args)
      case "pause":
        return Effect.succeed({ afterwards: () => this.motion?.pause() })
      case "cancel":
        return this.cancel(args)
      default:
        return this.go(debuggee, command, args)
    }
  }

  private initialize(args: Args): Effect.Effect<Answer, Error> {
    const { linesStartAt1, pathFormat, supportsProgressReporting } = args
    if (pathFormat !== undefined && pathFormat !== "path")
      return refuse("Files are named by their paths here; have the client send pathFormat path.")
    this.lineBase = linesStartAt1 === false ? 0 : 1
    this.showsProgress = supportsProgressReporting === true
    return Effect.succeed({ body: capabilities })
  }

  private readonly open = Effect.fnUntraced(function* (this: DapSession, raw: Args) {
    if (this.debuggee !== null)
      return yield* refuse("A world is being debugged already; disconnect first, then launch another.")
    const args = yield* launchArguments(raw)
    const debug = yield* this.outside.openWorld(args.world, args.programs)
    const debuggee = new Debuggee(debug, new SourcePaths(args.sourceRoot ?? this.outside.directory, args.sourceMap))
    this.stopsOnEntry = args.stopOnEntry
    // Clients wait for this only so long; what they ask next is done when the place is reached.
    this.connection.tell("initialized")
    const { at } = args
    if (at !== null) {
      yield* this.moving(debuggee, {
        title: `Going to ${at}`,
        isForth: false,
        name: "entry",
        way: going => goToWritten(debug, at, going),
      })
    }
    this.debuggee = debuggee
    return {}
  })

  /** The client has told all its breakpoints. */
  private begin(debuggee: Debuggee): void {
    if (this.stopsOnEntry) this.tellStop(debuggee, debuggee.debug.lastStop, "entry")
    else this.start(debuggee, this.goingOn(debuggee))
  }

  private goingOn({ debug }: Debuggee): Plan {
    return { title: "Going on", isForth: true, name: "step", way: going => debug.goOn(going), resumes: true }
  }

  /** Requests that move the machine. */
  private readonly go = Effect.fnUntraced(function* (
    this: DapSession,
    debuggee: Debuggee,
    command: string,
    args: Args,
  ) {
    const { debug, stepper } = debuggee
    if (command === "continue") {
      yield* debuggee.hartIn(args)
      return this.starting(debuggee, this.goingOn(debuggee), { allThreadsContinued: true })
    }
    if (command === "reverseContinue") {
      yield* debuggee.hartIn(args)
      const way: Way = going => debug.goBack(going)
      return this.starting(debuggee, { title: "Going back", isForth: false, name: "step", way, resumes: true })
    }
    const step = { title: "Stepping", isForth: true, name: "step" } as const
    const isByInstruction = args.granularity === "instruction"
    const ways: { readonly [command: string]: Plan } = {
      next: {
        ...step,
        way: going => (isByInstruction ? stepper.instruction("over", going) : stepper.next("over", going)),
      },
      stepIn: {
        ...step,
        way: going => (isByInstruction ? stepper.instruction("into", going) : stepper.next("into", going)),
      },
      stepOut: { ...step, way: going => stepper.finish(going) },
      stepBack: {
        ...step,
        isForth: false,
        way: going => (isByInstruction ? debug.stepBack(1, going) : stepper.previous("over", going)),
      },
    }
    const plan = Object.hasOwn(ways, command) ? ways[command]! : null
    if (plan === null)
      return yield* refuse(`The request ${command} is not known here; the answer to initialize says what is.`)
    debug.selectedHart = yield* debuggee.hartIn(args)
    const problem = command === "stepOut" ? stepper.callerProblem : null
    return problem === null ? this.starting(debuggee, plan) : yield* problem
  })

  private readonly evaluate = Effect.fnUntraced(function* (this: DapSession, debuggee: Debuggee, args: Args) {
    const evaluated = yield* evaluate(debuggee, args)
    if (evaluated.kind === "answer") return { body: evaluated.body }
    // Whoever types waits for what comes of it.
    const plan = this.planOf(debuggee, evaluated.motion)
    const stop = yield* this.moving(debuggee, plan)
    return {
      body: { result: formatPosition(stop.position), variablesReference: 0 },
      afterwards: () => {
        // No request said that the machine would go.
        this.connection.tell("continued", { threadId: debuggee.debug.selectedHart + 1, allThreadsContinued: true })
        const isPlace = evaluated.motion.kind === "seek"
        this.tellStop(debuggee, isPlace ? this.atSameHart(debuggee, stop) : stop, plan.name)
      },
    }
  })

  /**
   * A place as seen from the hart that the client looks at: one that stops where another did is taken by some for a second stop, and
   * sent on.
   */
  private atSameHart({ debug }: Debuggee, stop: Stop): Stop {
    debug.selectedHart = this.toldHart
    debug.lastStop = { ...stop, hart: this.toldHart }
    return debug.lastStop
  }

  private planOf({ debug, stepper }: Debuggee, motion: CommandedMotion): Plan {
    const back = { title: "Stepping back", isForth: false, name: "step" } as const
    switch (motion.kind) {
      case "seek": {
        const way: Way = going => goToWritten(debug, motion.to, going)
        return { title: `Going to ${motion.to}`, isForth: false, name: "goto", way }
      }
      case "reverse-step":
        return { ...back, way: going => stepper.previous("into", going) }
      case "reverse-next":
        return { ...back, way: going => stepper.previous("over", going) }
      case "reverse-finish":
        return { ...back, way: going => stepper.start(going) }
    }
  }

  private starting(debuggee: Debuggee, plan: Plan, body: object = {}): Answer {
    return { body, afterwards: () => this.start(debuggee, plan) }
  }

  /** Makes a motion and tells how it ended. */
  private start(debuggee: Debuggee, plan: Plan): void {
    const told = Effect.matchCause(this.moving(debuggee, plan), {
      onSuccess: stop => this.tellStop(debuggee, stop, plan.name),
      onFailure: cause => {
        if (!Cause.hasInterruptsOnly(cause)) this.tellFailure(debuggee, sentenceOf(cause))
      },
    })
    this.run(told)
  }

  /** A motion, which is under way from now on. */
  private moving(debuggee: Debuggee, plan: Plan): ReturnType<Way> {
    const { debug } = debuggee
    const { position, selectedHart } = debug
    const options = { ...plan, showsProgress: this.showsProgress }
    const motion = new Motion(`motion ${++this.motions}`, debuggee, this.connection, this.clock, options)
    this.motion = motion
    debuggee.leave()
    return Effect.gen(function* () {
      // A world that is being recorded has become longer.
      yield* debug.timeline.refresh
      yield* debug.console.refresh
      for (;;) {
        const stop = yield* plan.way(motion.going)
        if (stop.reason.kind === "cancelled" && motion.resumes()) continue
        debuggee.arrive()
        return stop
      }
    }).pipe(
      // Where a way fails one stands where it began.
      Effect.tapError(() =>
        Effect.ignore(
          Effect.map(debug.goTo(position), () => {
            debug.selectedHart = selectedHart
          }),
        ),
      ),
      Effect.ensuring(
        Effect.sync(() => {
          motion.end()
          this.motion = null
        }),
      ),
    )
  }

  private tellStop(debuggee: Debuggee, stop: Stop, name: MotionName): void {
    this.toldHart = stop.hart
    this.connection.tell("stopped", stoppedBody(debuggee, stop, name))
  }

  private tellFailure({ debug }: Debuggee, sentence: string): void {
    this.connection.tell("output", { category: "important", output: `${sentence}\n` })
    const threadId = debug.selectedHart + 1
    this.connection.tell("stopped", {
      reason: "pause",
      description: sentence,
      text: sentence,
      threadId,
      allThreadsStopped: true,
    })
  }

  private readonly cancel = Effect.fnUntraced(function* (this: DapSession, args: Args) {
    const progress = textOf(args.progressId)
    if (progress !== null && progress === this.motion?.id) this.motion.pause()
    else if (progress === null) yield* integerIn(args, "requestId")
    return {}
  })

  /** The client has gone, or wants to. */
  end(): void {
    this.motion?.pause()
    Deferred.doneUnsafe(this.ended, Effect.void)
  }
}

/** Serves one client on two streams until it disconnects or goes. */
export const serveDap = (
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  outside: DapOutside,
): Effect.Effect<void> =>
  Effect.scoped(
    Effect.gen(function* () {
      const requests = yield* Queue.unbounded<DebugProtocol.Request>()
      const ended = yield* Deferred.make<void>()
      const run = yield* FiberSet.makeRuntime<Scope.Scope, void, never>()
      const connection = new Connection({
        received: request => {
          if (urgent.has(request.command)) run(session.handle(request))
          else Queue.offerUnsafe(requests, request)
        },
        closed: () => session.end(),
      })
      const session = new DapSession(connection, outside, run, yield* Clock.Clock, ended)
      run(Effect.forever(Effect.flatMap(Queue.take(requests), request => session.handle(request))))
      connection.start(input, output)
      yield* Deferred.await(ended)
    }),
  )
