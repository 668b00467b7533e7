/**
 * The built-in Supervisor Binary Interface: base, TIME, IPI, RFENCE, HSM, SRST and DBCN. RISC-V SBI specification 2.0, chapters 3 to 12;
 * the legacy extensions of chapter 5 that old kernels print and read with.
 */

import type { HartCore } from "../hart/hart-core.ts"
import { mip, privilege } from "../riscv/csr.ts"
import type { Ram } from "./ram.ts"

/** What the SBI asks of the machine. */
export interface SbiHost {
  readonly core: HartCore
  readonly ram: Ram
  readonly harts: number
  isStarted(hart: number): boolean
  isSuspended(hart: number): boolean
  start(hart: number): void
  stop(hart: number): void
  suspend(hart: number): void
  powerOff(code: number): void
  reset(): void
  putConsole(byte: number): void
}

const extension = {
  base: 0x10,
  time: 0x54494d45,
  ipi: 0x735049,
  rfence: 0x52464e43,
  hsm: 0x48534d,
  srst: 0x53525354,
  dbcn: 0x4442434e,
}
const legacy = { putchar: 1, getchar: 2, shutdown: 8 }
const error = {
  success: 0,
  failed: -1,
  notSupported: -2,
  invalidParameter: -3,
  invalidAddress: -5,
  alreadyAvailable: -6,
}
const HART_STATE = { started: 0, stopped: 1, suspended: 4 }

const SPECIFICATION_VERSION = 2 << 24
/** Not among the registered implementation ids. */
const IMPLEMENTATION_ID = 0x43564d
const IMPLEMENTATION_VERSION = 1
const DEBUG_CONSOLE_BYTES_MAX = 0x10000

interface Answer {
  readonly error: number
  readonly value: number
}
const ok = (value = 0): Answer => ({ error: error.success, value })
const no = (code: number): Answer => ({ error: code, value: 0 })

/** Serves the environment call `hart` is at, and moves it past. */
export const serveSbi = (host: SbiHost, hart: number): void => {
  const { core } = host
  const argument = (index: number) => core.get(hart, "x", 10 + index)
  const number = argument(7)
  core.setBig(hart, "pc", core.getBig(hart, "pc") + 4n)
  if (number <= 0x0f) {
    core.setBig(hart, "x", BigInt(serveLegacy(host, number, argument(0))), 10)
    return
  }
  const answer = serve(host, hart, number, argument(6), argument)
  // A hart that was stopped or started anew has other registers by now.
  if (answer === null) return
  core.setBig(hart, "x", BigInt(answer.error), 10)
  core.setBig(hart, "x", BigInt(answer.value), 11)
}

const serveLegacy = (host: SbiHost, number: number, argument: number): number => {
  switch (number) {
    case legacy.putchar:
      host.putConsole(argument & 0xff)
      return 0
    case legacy.getchar:
      return -1
    case legacy.shutdown:
      host.powerOff(0)
      return 0
    default:
      return error.notSupported
  }
}

const serve = (
  host: SbiHost,
  hart: number,
  number: number,
  call: number,
  argument: (index: number) => number,
): Answer | null => {
  switch (number) {
    case extension.base:
      return serveBase(call, argument(0))
    case extension.time:
      if (call !== 0) return no(error.notSupported)
      host.core.setBig(hart, "stimecmp", host.core.getBig(hart, "x", 10))
      return ok()
    case extension.ipi:
      return call === 0
        ? forEachHart(host, argument, target => host.core.setPending(target, Number(mip.SSIP), true))
        : no(error.notSupported)
    case extension.rfence:
      return call <= 2
        ? forEachHart(host, argument, target => {
            // Instruction fences need nothing: predecoded code is always current.
            if (call !== 0) host.core.forgetTranslations(target)
          })
        : no(error.notSupported)
    case extension.hsm:
      return serveHarts(host, hart, call, argument)
    case extension.srst:
      if (call !== 0 || argument(0) > 2) return no(call === 0 ? error.invalidParameter : error.notSupported)
      if (argument(0) === 0) host.powerOff(argument(1) === 0 ? 0 : 1)
      else host.reset()
      return ok()
    case extension.dbcn:
      return serveDebugConsole(host, call, argument)
    default:
      return no(error.notSupported)
  }
}

const serveBase = (call: number, argument: number): Answer => {
  switch (call) {
    case 0:
      return ok(SPECIFICATION_VERSION)
    case 1:
      return ok(IMPLEMENTATION_ID)
    case 2:
      return ok(IMPLEMENTATION_VERSION)
    case 3:
      return ok(Object.values(extension).includes(argument) || Object.values(legacy).includes(argument) ? 1 : 0)
    case 4:
    case 5:
    case 6:
      return ok(0)
    default:
      return no(error.notSupported)
  }
}

/** Calls `act` for each hart of a mask; a base of -1 means all. Section 3.1. */
const forEachHart = (host: SbiHost, argument: (index: number) => number, act: (hart: number) => void): Answer => {
  const mask = BigInt.asUintN(64, BigInt(argument(0)))
  const base = argument(1)
  const all = base > 2 ** 53
  const targets: number[] = []
  for (let bit = 0; bit < 64; bit++) {
    if (all ? bit < host.harts : ((mask >> BigInt(bit)) & 1n) === 1n) targets.push(all ? bit : base + bit)
  }
  if (targets.some(target => target >= host.harts)) return no(error.invalidParameter)
  for (const target of targets) act(target)
  return ok()
}

const serveHarts = (host: SbiHost, hart: number, call: number, argument: (index: number) => number): Answer | null => {
  const { core } = host
  const target = argument(0)
  switch (call) {
    case 0: {
      if (target >= host.harts) return no(error.invalidParameter)
      if (host.isStarted(target)) return no(error.alreadyAvailable)
      if (!host.ram.contains(argument(1), 2)) return no(error.invalidAddress)
      enter(core, target, argument(1), argument(2))
      host.start(target)
      return ok()
    }
    case 1:
      host.stop(hart)
      return null
    case 2:
      if (target >= host.harts) return no(error.invalidParameter)
      if (!host.isStarted(target)) return ok(HART_STATE.stopped)
      return ok(host.isSuspended(target) ? HART_STATE.suspended : HART_STATE.started)
    case 3:
      // Retentive suspend waits like WFI; the non-retentive one starts again at the address given.
      if (argument(0) === 0x80000000) {
        enter(core, hart, argument(1), argument(2))
        host.suspend(hart)
        return null
      }
      if (argument(0) !== 0) return no(error.invalidParameter)
      host.suspend(hart)
      return ok()
    default:
      return no(error.notSupported)
  }
}

/** The state a hart starts in: S-mode, no translation, interrupts off, a0 its number, a1 the caller's value. Section 9.1. */
const enter = (core: HartCore, hart: number, address: number, opaque: number): void => {
  core.set(hart, "pc", address)
  core.set(hart, "x", hart, 10)
  core.set(hart, "x", opaque, 11)
  core.set(hart, "satp", 0)
  core.set(hart, "privilege", privilege.supervisor)
  core.setBig(hart, "mstatus", core.getBig(hart, "mstatus") & ~2n)
  core.registersChanged(hart)
}

const serveDebugConsole = (host: SbiHost, call: number, argument: (index: number) => number): Answer => {
  switch (call) {
    case 0: {
      const length = Math.min(argument(0), DEBUG_CONSOLE_BYTES_MAX)
      if (argument(2) !== 0 || !host.ram.contains(argument(1), length)) return no(error.invalidParameter)
      for (const byte of host.ram.read(argument(1), length)) host.putConsole(byte)
      return ok(length)
    }
    case 1:
      return ok(0)
    case 2:
      host.putConsole(argument(0) & 0xff)
      return ok()
    default:
      return no(error.notSupported)
  }
}
