/**
 * Line number programs: the bytecode in .debug_line, run once into rows.
 *
 * Specification: DWARF 5, section 6.2 and 7.22; DWARF 2 to 4 where they differ.
 */
import { posix } from "node:path"
import type { ByteReader } from "./byte-reader.ts"
import type { DebugInfo } from "./debug-info.ts"
import { Form } from "./dwarf-numbers.ts"

/** What a row is besides a place: bits of `LineSink.row`'s `flags`. */
export const RowFlag = { statement: 1, prologueEnd: 2, sequenceEnd: 4 } as const

/** Takes what line programs give, in their order. */
export interface LineSink {
  /** A program begins: its offset in .debug_line and its files, full paths at the numbers that rows and units use for them. */
  program(offset: number, paths: readonly (string | null)[]): void
  /** A row for `advanced` bytes after `base`. */
  row(base: bigint, advanced: number, file: number, line: number, column: number, flags: number): void
}

/** Standard and extended operations (DW_LNS, DW_LNE) that are heeded, and what a file's description consists of (DW_LNCT). */
const Standard = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  setColumn: 5,
  negateStatement: 6,
  basicBlock: 7,
  constAddPc: 8,
  fixedAdvancePc: 9,
  prologueEnd: 10,
  epilogueBegin: 11,
  setIsa: 12,
} as const
const Extended = { endSequence: 1, setAddress: 2 } as const
const CONTENT_PATH = 1
const CONTENT_DIRECTORY = 2

interface Header {
  readonly instructionLength: number
  readonly isStatement: boolean
  readonly lineBase: number
  readonly lineRange: number
  readonly operandCounts: readonly number[]
  /** Full paths at their numbers. */
  readonly files: readonly (string | null)[]
}

/** Runs all programs of .debug_line. `directoryOf` gives the directory a unit was compiled in by its program's offset. */
export function runLinePrograms(info: DebugInfo, directoryOf: (offset: number) => string | null, sink: LineSink): void {
  const reader = info.reader(".debug_line", 0)
  while (!reader.isAtEnd) {
    const offset = reader.at
    const { length, is64 } = reader.unitLength()
    const program = reader.part(length)
    const version = program.u16()
    if (version < 2 || version > 5) continue
    const header = readHeader(program, version, is64, directoryOf(offset) ?? "", info)
    sink.program(offset, header.files)
    run(program, header, sink)
  }
}

function readHeader(
  reader: ByteReader,
  version: number,
  is64: boolean,
  compilationDirectory: string,
  info: DebugInfo,
): Header {
  if (version >= 5) reader.skip(2)
  const length = reader.offset(is64)
  const tables = reader.part(length)
  const instructionLength = tables.u8()
  // How many operations one instruction has: one, except on machines with very long instruction words.
  if (version >= 4) tables.skip(1)
  const isStatement = tables.u8() !== 0
  const lineBase = tables.i8()
  const lineRange = tables.u8()
  if (lineRange === 0) tables.damaged("a line program has no range of lines")
  const operandCounts = [0, ...tables.bytes(Math.max(tables.u8() - 1, 0))]
  const resolve = (directory: string, name: string) =>
    name.startsWith("/") ? posix.normalize(name) : posix.join(directory, name)

  const directories: string[] = []
  const files: (string | null)[] = []
  if (version >= 5) {
    // The first is the one compiled in, which may have been given as a relative path.
    for (const { path } of readDescriptions(tables, is64, info))
      directories.push(resolve(directories[0] ?? (path === compilationDirectory ? "" : compilationDirectory), path))
    for (const { path, directory } of readDescriptions(tables, is64, info))
      files.push(resolve(directories[directory] ?? compilationDirectory, path))
  } else {
    // Both tables count from 1; directory 0 is the one compiled in.
    directories.push(compilationDirectory)
    for (let path = tables.text(); path !== ""; path = tables.text())
      directories.push(resolve(compilationDirectory, path))
    files.push(null)
    for (let path = tables.text(); path !== ""; path = tables.text()) {
      files.push(resolve(directories[tables.uleb()] ?? compilationDirectory, path))
      tables.uleb()
      tables.uleb()
    }
  }
  return { instructionLength, isStatement, lineBase, lineRange, operandCounts, files }
}

/** A table of directories or files of DWARF 5: first what is said of each, then that of each. */
function* readDescriptions(reader: ByteReader, is64: boolean, info: DebugInfo) {
  const formats = Array.from({ length: reader.u8() }, () => ({ content: reader.uleb(), form: reader.uleb() }))
  const count = reader.uleb()
  if (formats.length === 0 && count > 0) reader.damaged("a table of files says nothing of them")
  for (let index = 0; index < count; index++) {
    let path = ""
    let directory = 0
    for (const { content, form } of formats) {
      const value = readDescription(reader, form, is64, info)
      if (content === CONTENT_PATH) path = String(value)
      if (content === CONTENT_DIRECTORY) directory = Number(value)
    }
    yield { path, directory }
  }
}

function readDescription(reader: ByteReader, form: number, is64: boolean, info: DebugInfo): string | number {
  switch (form) {
    case Form.string:
      return reader.text()
    case Form.line_strp:
      return info.reader(".debug_line_str", reader.offset(is64)).text()
    case Form.strp:
      return info.reader(".debug_str", reader.offset(is64)).text()
    case Form.udata:
      return reader.uleb()
    case Form.data1:
      return reader.u8()
    case Form.data2:
      return reader.u16()
    case Form.data4:
      return reader.u32()
    case Form.data8:
      return reader.skip(8)
    case Form.data16:
      return reader.skip(16)
    case Form.block:
      return reader.skip(reader.uleb())
    default:
      return reader.damaged(`a table of files has the unknown form ${form}`)
  }
}

function run(reader: ByteReader, header: Header, sink: LineSink): void {
  const { instructionLength, lineBase, lineRange, operandCounts } = header
  const special = operandCounts.length
  // The last address given in full, and how far the program has come from it.
  let base = 0n
  let advanced = 0
  let file = 1
  let line = 1
  let column = 0
  let isStatement = header.isStatement
  let prologueEnd = 0
  const emit = (sequenceEnd: number) => {
    const flags = (isStatement ? RowFlag.statement : 0) | prologueEnd | sequenceEnd
    sink.row(base, advanced, file, line, column, flags)
    prologueEnd = 0
  }
  while (!reader.isAtEnd) {
    const operation = reader.u8()
    if (operation >= special) {
      const adjusted = operation - special
      advanced += Math.floor(adjusted / lineRange) * instructionLength
      line += lineBase + (adjusted % lineRange)
      emit(0)
      continue
    }
    switch (operation) {
      case 0: {
        const length = reader.uleb()
        if (length === 0) break
        const extended = reader.part(length)
        const kind = extended.u8()
        if (kind === Extended.endSequence) {
          emit(RowFlag.sequenceEnd)
          base = 0n
          advanced = 0
          file = 1
          line = 1
          column = 0
          isStatement = header.isStatement
        } else if (kind === Extended.setAddress) {
          base = extended.u64()
          advanced = 0
        }
        break
      }
      case Standard.copy:
        emit(0)
        break
      case Standard.advancePc:
        advanced += reader.uleb() * instructionLength
        break
      case Standard.advanceLine:
        line += reader.sleb()
        break
      case Standard.setFile:
        file = reader.uleb()
        break
      case Standard.setColumn:
        column = reader.uleb()
        break
      case Standard.negateStatement:
        isStatement = !isStatement
        break
      case Standard.constAddPc:
        advanced += Math.floor((255 - special) / lineRange) * instructionLength
        break
      case Standard.fixedAdvancePc:
        advanced += reader.u16()
        break
      case Standard.prologueEnd:
        prologueEnd = RowFlag.prologueEnd
        break
      case Standard.basicBlock:
      case Standard.epilogueBegin:
        break
      default:
        for (let count = operandCounts[operation]!; count > 0; count--) reader.uleb()
    }
  }
}
