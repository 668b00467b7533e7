/**
 * Harts as gdb's threads: hart 0 is thread 1. GDB manual, appendix "GDB Remote Serial Protocol", "thread-id syntax", and section
 * "Thread List Format".
 */
import { privilege } from "../../riscv/csr.ts"
import type { Debugger } from "../debugger.ts"
import { parseNumber } from "./hex.ts"

/** Harts as a packet names them: one by its number, or all, or whichever. */
export type ThreadChoice = number | "all" | "any"

export const threadId = (hart: number): string => (hart + 1).toString(16)

/** null where the text names no thread, or one that there is not. */
export const parseThread = (text: string, harts: number): ThreadChoice | null => {
  if (text === "-1") return "all"
  const number = parseNumber(text)
  if (number === 0n) return "any"
  return number === null || number > BigInt(harts) ? null : Number(number) - 1
}

const modes = new Map<bigint, string>([
  [BigInt(privilege.user), "U-mode"],
  [BigInt(privilege.supervisor), "S-mode"],
  [BigInt(privilege.machine), "M-mode"],
])

/** `hart 0, S-mode, running`, and of a Linux guest the task: `, task 1 (init)`. */
export const describeHart = ({ inspection, linux }: Debugger, hart: number): string => {
  const task = linux?.linux?.currentTask(hart) ?? null
  const mode = modes.get(inspection.register(hart, "priv")!)
  const words = [
    `hart ${hart}`,
    mode,
    inspection.machine.lifeOf(hart),
    task && `task ${task.pid} (${plain(task.comm)})`,
  ]
  return words.filter(word => word !== null).join(", ")
}

/** What a guest calls its tasks is put into a document. */
const plain = (text: string): string => text.replaceAll(/[^\x20-\x7e]|[<>&"]/g, "?")

/** What `qfThreadInfo` lists. */
export const listThreads = (harts: number): string =>
  Array.from({ length: harts }, (_, hart) => threadId(hart)).join(",")

/** The document of `qXfer:threads:read`. */
export const threadsDocument = (debugged: Debugger): string => {
  const threads = Array.from(
    { length: debugged.inspection.harts },
    (_, hart) => `<thread id="${threadId(hart)}" core="${hart}">${describeHart(debugged, hart)}</thread>`,
  )
  return [`<?xml version="1.0"?>`, `<threads>`, ...threads, `</threads>`, ``].join("\n")
}
