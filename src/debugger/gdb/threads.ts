/**
 * Harts as gdb's threads: hart 0 is thread 1. GDB manual, appendix "GDB Remote Serial Protocol", "thread-id syntax", and section
 * "Thread List Format".
 */
import { privilege } from "../../riscv/csr.ts"
import type { Inspection } from "../inspection.ts"
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

/** `hart 0, S-mode, running`. */
export const describeHart = (inspection: Inspection, hart: number): string =>
  [`hart ${hart}`, modes.get(inspection.register(hart, "priv")!), inspection.machine.lifeOf(hart)].join(", ")

/** What `qfThreadInfo` lists. */
export const listThreads = (harts: number): string =>
  Array.from({ length: harts }, (_, hart) => threadId(hart)).join(",")

/** The document of `qXfer:threads:read`. */
export const threadsDocument = (inspection: Inspection): string => {
  const threads = Array.from(
    { length: inspection.harts },
    (_, hart) => `<thread id="${threadId(hart)}" core="${hart}">${describeHart(inspection, hart)}</thread>`,
  )
  return [`<?xml version="1.0"?>`, `<threads>`, ...threads, `</threads>`, ``].join("\n")
}
