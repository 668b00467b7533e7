/** The thread that creates a world's file, so that its machine can run meanwhile. */
import { parentPort, workerData } from "node:worker_threads"
import { type Creation, createWorldFile } from "./creation.ts"

/** An error's parts that survive the way to another thread. */
export interface CreationFailure {
  readonly name: string
  readonly message: string
  readonly code: string | null
  readonly syscall: string | null
}

const failureOf = (cause: unknown): CreationFailure => {
  const { name, message, code, syscall } = cause as NodeJS.ErrnoException
  return { name, message, code: code ?? null, syscall: syscall ?? null }
}

const failure = await createWorldFile(workerData as Creation).then(() => null, failureOf)
parentPort?.postMessage(failure)
