/** The view of the source that programs' files give: debug information where they have it, symbols and frame pointers where not. */
import { callIn } from "./call-instruction.ts"
import type { Debugger } from "./debugger.ts"
import { analysedFrame, type Frame } from "./frame-analysis.ts"
import { followsCall, returnPlace } from "./return-address.ts"
import type { LinePlaces, SourceFrame, SourceFunction, SourcePlace, SourceReturn, SourceView } from "./source-view.ts"
import type { AddressRange } from "./symbols/address-index.ts"
import type { CfaRule } from "./symbols/call-frame-table.ts"
import type { DebugFile } from "./symbols/debug-file.ts"
import type { FrameState } from "./symbols/frame-state.ts"
import { type StoppedState, stackTrace } from "./symbols/frames.ts"
import type { FunctionInfo } from "./symbols/functions.ts"
import type { Program } from "./symbols/program.ts"
import type { DisplayedValue } from "./symbols/value.ts"
import type { Variable } from "./symbols/variables.ts"
import { interruptedAt } from "./trap-entry.ts"

const SP = 2
const FLOAT_REGISTERS = 32

const noVariables = { locals: () => [], globals: () => [], global: () => null }

/** A caller that was found without call frame information; its own frame is known once its caller is looked for. */
interface AnalysedCaller {
  readonly pc: bigint
  readonly sp: bigint
  cfa: bigint | null
}

export class ProgramView implements SourceView {
  private readonly debug: Debugger
  // All of these are asked for again and again on a way through history.
  private readonly places = new Map<bigint, SourcePlace | null>()
  private readonly functions = new Map<bigint, SourceFunction>()
  private readonly rules = new Map<bigint, CfaRule | null>()
  private readonly analysed = new Map<bigint, Frame | null>()

  /** The programs are the debugger's. */
  constructor(debug: Debugger) {
    this.debug = debug
  }

  private get withLines(): readonly Program[] {
    return this.debug.programs.filter(({ file }) => file.hasDebugInfo)
  }

  get files(): readonly string[] {
    return [...new Set(this.withLines.flatMap(({ file }) => file.lines.files))].sort()
  }

  private programAt(address: bigint): Program | null {
    return this.debug.programs.find(program => program.file.elf.sectionAt(program.linked(address))?.isCode) ?? null
  }

  private programWithLinesAt(address: bigint): Program | null {
    const program = this.programAt(address)
    return program?.file.hasDebugInfo ? program : null
  }

  place(address: bigint): SourcePlace | null {
    let place = this.places.get(address)
    if (place === undefined) {
      place = this.findPlace(address)
      this.places.set(address, place)
    }
    return place
  }

  private findPlace(address: bigint): SourcePlace | null {
    const program = this.programWithLinesAt(address)
    if (program === null) return null
    const linked = program.linked(address)
    const found = program.file.lines.at(linked)
    if (found === null) return null
    const depth = program.file.functions.placesAt(linked).filter(({ isInlined }) => isInlined).length
    return { file: found.file, line: found.line, column: found.column, depth }
  }

  functionAt(address: bigint): SourceFunction | null {
    const program = this.programWithLinesAt(address)
    const info = program?.file.functions.at(program.linked(address))
    if (!program || !info) return null
    const entry = program.placed(info.entry)
    let found = this.functions.get(entry)
    if (found === undefined) {
      found = functionOf(program, info)
      this.functions.set(entry, found)
    }
    return found.statements.length === 0 ? null : found
  }

  lineAt(path: string, line: number): LinePlaces | null {
    const found: LinePlaces[] = []
    for (const program of this.withLines) {
      const { lines } = program.file
      for (const file of filesLike(lines.files, path)) {
        const withCode = lines.nextLineWithCode(file, line)
        if (withCode === null) continue
        const addresses = program.file.breakpointsAtLine(file, withCode)
        found.push({ file, line: withCode, addresses: addresses.map(address => program.placed(address)) })
      }
    }
    const [nearest] = found.toSorted((a, b) => a.line - b.line)
    if (nearest === undefined) return null
    const addresses = found.flatMap(other => (other.line === nearest.line ? other.addresses : []))
    return { ...nearest, addresses: [...new Set(addresses)] }
  }

  functionNamed(name: string): readonly bigint[] {
    const addresses = this.withLines.flatMap(program =>
      program.file.breakpointsAtFunction(name).map(address => program.placed(address)),
    )
    return [...new Set(addresses)]
  }

  frames(hart: number, limit: number): readonly SourceFrame[] {
    const { inspection } = this.debug
    const interrupted = limit > 1 ? interruptedAt(inspection, hart) : null
    if (interrupted === null) return this.framesFrom(hart, inspection.pc(hart), limit)
    // A handler has not been called: what is below it is what it interrupted.
    return [...this.framesFrom(hart, inspection.pc(hart), 1), ...this.framesFrom(hart, interrupted.pc, limit - 1)]
  }

  /** The calls in which a hart stands, or would with its registers at another place. */
  private framesFrom(hart: number, pc: bigint, limit: number): readonly SourceFrame[] {
    const [innermost, ...callers] = stackTrace(this.stateOf(hart, pc), limit)
    const levels = this.levelsOf(innermost!)
    const back = limit > 1 ? this.returnFrom(hart, pc) : null
    if (back === null) return levels
    if (back.isCertain && callers[0]?.pc === back.address)
      return [...levels, ...callers.flatMap(frame => this.levelsOf(frame))]
    const analysed = this.analysedCallers(hart, pc, limit - 1)
    const found = analysed.length > 0 ? analysed : [{ pc: back.address, sp: null, cfa: null }]
    return [...levels, ...found.map(caller => this.bareFrame(caller))]
  }

  /** A caller of which little more is known than where it goes on. */
  private bareFrame({
    pc,
    sp,
    cfa,
  }: Pick<AnalysedCaller, "pc"> & { sp: bigint | null; cfa: bigint | null }): SourceFrame {
    const place = this.place(pc - 1n)
    const name = this.debug.symbols.at(pc - 1n)?.symbol.name ?? null
    const register = (number: number) => (number === SP ? sp : null)
    return { name, pc, place, isInlined: false, cfa, register, ...noVariables }
  }

  returnOf(hart: number): SourceReturn | null {
    return this.returnFrom(hart, this.debug.inspection.pc(hart))
  }

  private returnFrom(hart: number, pc: bigint): SourceReturn | null {
    const { inspection, symbols } = this.debug
    const [innermost, caller] = stackTrace(this.stateOf(hart, pc), 2)
    const stack = innermost!.cfa()
    if (this.ruleAt(innermost!.pc) !== null)
      return caller && stack !== null ? { address: caller.pc, stack, isCertain: true } : null
    const [analysed] = this.analysedCallers(hart, pc, 1)
    if (analysed) return { address: analysed.pc, stack: analysed.sp, isCertain: true }
    // By frame pointers: a frame is believed in if a call made it.
    if (caller && stack !== null && followsCall(inspection, hart, caller.pc))
      return { address: caller.pc, stack, isCertain: true }
    const guess = returnPlace(inspection, symbols, hart)
    return guess && { ...guess, isCertain: false }
  }

  /** Callers as the instructions of the functions tell, where there is no call frame information. */
  private analysedCallers(hart: number, pc: bigint, limit: number): readonly AnalysedCaller[] {
    const { inspection } = this.debug
    const read = (address: bigint) => inspection.readInteger(hart, BigInt.asUintN(64, address), 8)
    const register = (name: string) => inspection.register(hart, name)!
    const callers: AnalysedCaller[] = []
    let here = { pc, sp: register("sp"), s0: register("s0") as bigint | null }
    while (callers.length < limit && this.ruleAt(here.pc) === null) {
      const frame = this.analysedFrame(hart, here.pc, callers.length > 0)
      const base = frame?.cfa.from === "s0" ? here.s0 : here.sp
      if (frame === null || base === null) break
      const cfa = base + BigInt(frame.cfa.above)
      const inner = callers.at(-1)
      if (inner) inner.cfa = cfa
      const isInRegister = frame.ra === null && callers.length === 0
      const ra = isInRegister ? register("ra") : typeof frame.ra === "number" ? read(cfa + BigInt(frame.ra)) : null
      if (ra === null || (inner && cfa <= inner.sp) || !followsCall(inspection, hart, ra)) break
      const s0 = frame.s0 === null ? here.s0 : typeof frame.s0 === "number" ? read(cfa + BigInt(frame.s0)) : null
      callers.push({ pc: ra, sp: cfa, cfa: null })
      here = { pc: ra, sp: cfa, s0 }
    }
    return callers
  }

  private analysedFrame(hart: number, pc: bigint, isCaller: boolean): Frame | null {
    const { inspection, symbols } = this.debug
    let frame = this.analysed.get(pc)
    if (frame === undefined) {
      const symbol = symbols.at(isCaller ? pc - 1n : pc)?.symbol
      const isInside = (address: bigint) =>
        symbol?.size ? address < symbol.address + symbol.size : symbols.at(address)?.symbol.address === symbol?.address
      frame =
        symbol?.kind === "object" || symbol === undefined
          ? null
          : analysedFrame(symbol.address, pc, address =>
              address >= symbol.address && isInside(address) ? inspection.instruction(hart, address) : null,
            )
      this.analysed.set(pc, frame)
    }
    return frame
  }

  cfa(hart: number): bigint | null {
    const { inspection } = this.debug
    const rule = this.ruleAt(inspection.pc(hart))
    if (rule?.kind === "register" && rule.number < FLOAT_REGISTERS) {
      const base = rule.number === 0 ? 0n : inspection.machine.core.getBig(hart, "x", rule.number)
      return BigInt.asUintN(64, base + BigInt(rule.offset))
    }
    const pc = inspection.pc(hart)
    const [analysed] = rule === null ? this.analysedCallers(hart, pc, 1) : []
    return analysed?.sp ?? stackTrace(this.stateOf(hart, pc), 1)[0]!.cfa()
  }

  private ruleAt(pc: bigint): CfaRule | null {
    let rule = this.rules.get(pc)
    if (rule === undefined) {
      const program = this.programAt(pc)
      rule = program?.file.frames.rowAt(program.linked(pc))?.cfa ?? null
      this.rules.set(pc, rule)
    }
    return rule
  }

  private stateOf(hart: number, pc: bigint): StoppedState {
    const { inspection, symbols } = this.debug
    return {
      pc,
      register: number =>
        inspection.register(hart, number < FLOAT_REGISTERS ? `x${number}` : `f${number - FLOAT_REGISTERS}`),
      memory: (address, length) => inspection.read(hart, BigInt.asUintN(64, address), length),
      programAt: address => {
        const program = this.programAt(address)
        return program && { frames: program.file.frames, bias: program.moved }
      },
      functionStart: address => symbols.at(address)?.symbol.address ?? null,
    }
  }

  /** A call, as the functions that the compiler put into one another. */
  private levelsOf(frame: FrameState): SourceFrame[] {
    const { pc, codeAddress } = frame
    const shared = { pc, cfa: frame.cfa(), register: (number: number) => frame.register(number) }
    const program = this.programWithLinesAt(codeAddress)
    const linked = program?.linked(codeAddress) ?? codeAddress
    const levels = program?.file.functions.placesAt(linked) ?? []
    if (program === null || levels.length === 0) {
      const name = this.debug.symbols.at(codeAddress)?.symbol.name ?? null
      return [{ ...shared, name, place: this.place(codeAddress), isInlined: false, ...noVariables }]
    }
    const { variables } = program.file
    const read = (some: readonly Variable[]): readonly DisplayedValue[] =>
      some.map(variable => variables.read(variable, frame))
    return levels.map(({ functionName, isInlined, file, line, column }, level) => ({
      ...shared,
      name: functionName,
      place: file === null ? null : { file, line, column },
      isInlined,
      locals: () => {
        const { parameters, locals } = variables.visible(linked, level)
        return read([...parameters, ...locals])
      },
      globals: () => read(variables.globals(linked)),
      global: (wanted: string) => read(variables.globalsNamed(wanted))[0] ?? null,
    }))
  }

  variableNames(address: bigint): ReadonlySet<string> {
    const program = this.programWithLinesAt(address)
    if (program === null) return new Set()
    const { variables } = program.file
    const linked = program.linked(address)
    const { parameters, locals } = variables.visible(linked)
    const visible = [...parameters, ...locals, ...variables.globals(linked)].map(({ name }) => name)
    return new Set([...visible, ...variables.globalNames])
  }
}

const functionOf = (program: Program, info: FunctionInfo): SourceFunction => {
  const { file } = program
  const placed = (addresses: readonly bigint[]) => addresses.map(address => program.placed(address))
  const body = file.functions.afterPrologue(info)
  const statements = info.ranges.flatMap(range => file.lines.statementsIn(range))
  return {
    name: info.name,
    entry: program.placed(info.entry),
    body: program.placed(body),
    statements: placed(statements.filter(start => start < info.entry || start >= body)),
    calls: placed(info.ranges.flatMap(range => callsIn(file, range))),
  }
}

/** The files that a path may mean: the one of that name, else those whose last parts are most like it. */
const filesLike = (files: readonly string[], path: string): readonly string[] => {
  if (files.includes(path)) return [path]
  const parts = path.split(/[\\/]/).reverse()
  const likeness = (file: string): number => {
    const other = file.split("/").reverse()
    const differs = parts.findIndex((part, order) => part !== other[order])
    return differs < 0 ? parts.length : differs
  }
  const best = Math.max(0, ...files.map(likeness))
  return best === 0 ? [] : files.filter(file => likeness(file) === best)
}

/** The addresses of calls in a stretch of code. */
const callsIn = ({ elf }: DebugFile, { start, end }: AddressRange): readonly bigint[] => {
  const place = elf.sectionAt(start)
  if (place === null) return []
  const { bytes, address } = elf.section(place.name)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const calls: bigint[] = []
  const last = Math.min(Number(end - address), bytes.length)
  for (let at = Number(start - address); at + 2 <= last; ) {
    const isShort = (view.getUint16(at, true) & 3) !== 3
    if (!isShort && at + 4 > last) break
    const word = isShort ? view.getUint16(at, true) : view.getUint32(at, true)
    if (callIn(word | 0) !== null) calls.push(address + BigInt(at))
    at += isShort ? 2 : 4
  }
  return calls
}
