/**
 * Which line of which file an instruction was compiled from, and where the instructions of a line are. Built once from all line
 * programs into flat arrays: a row holds from its address up to the next row's.
 */
import { AddressIndex, type AddressRange } from "./address-index.ts"
import type { DebugInfo } from "./debug-info.ts"
import { Attribute } from "./dwarf-numbers.ts"
import { type LineSink, RowFlag, runLinePrograms } from "./line-program.ts"

/** A place in the source. `file` is a full path, `line` and `column` count from 1; column 0 means the whole line. */
export interface SourceLine {
  readonly file: string
  readonly line: number
  readonly column: number
  /** A good place for a breakpoint (is_stmt). */
  readonly isStatement: boolean
}

/** A row as the compiler wrote it. Line 0 is code that belongs to no line; the last row of a sequence only says where it ends. */
export interface LineRow extends SourceLine {
  readonly address: bigint
  readonly isPrologueEnd: boolean
  readonly isSequenceEnd: boolean
}

/** Code of one line that lies together. */
export interface LineRange extends AddressRange {
  /** Where the first statement in it begins (is_stmt); null if there is none. */
  readonly statement: bigint | null
  /** True if it begins behind what sets up a function's frame, where the compiler says so. */
  readonly isPrologueEnd: boolean
}

/** Rows that lie together, in the order of their addresses; the last one is their end. */
interface Sequence {
  readonly start: bigint
  readonly first: number
  readonly last: number
}

const NO_FILE = 0xffff_ffff

export class SourceLines {
  /** Every file that the line programs name, full paths, each once. */
  readonly files: readonly string[]
  private readonly rows: RowTable
  private readonly sequences: readonly Sequence[]
  private readonly sequenceIndex: AddressIndex<Sequence>
  private readonly fileNumbers: ReadonlyMap<string, number>
  /** Numbers in `files` by a line program's offset and by its own numbers. */
  private readonly programFiles: ReadonlyMap<number, readonly number[]>
  /** Rows by file: those of file n are `byFile` from `fileStarts[n]` to `fileStarts[n + 1]`. */
  private readonly byFile: Uint32Array
  private readonly fileStarts: Uint32Array

  /** @throws DebugInfoDamaged where the line programs contradict themselves. */
  constructor(info: DebugInfo) {
    const directories = new Map<number, string>()
    for (const { root } of info.units) {
      const place = root.place(Attribute.stmt_list)
      const directory = root.text(Attribute.comp_dir)
      if (place !== null && directory !== null) directories.set(place.value, directory)
    }
    const builder = new Builder()
    runLinePrograms(info, offset => directories.get(offset) ?? null, builder)
    builder.dropOpen()
    this.rows = builder.rows
    this.sequences = builder.sequences
    this.fileNumbers = builder.fileNumbers
    this.files = [...builder.fileNumbers.keys()]
    this.programFiles = builder.programFiles
    this.sequenceIndex = new AddressIndex(
      builder.sequences
        .filter(({ start }) => info.elf.sectionAt(start) !== null)
        .map(sequence => [{ start: sequence.start, end: this.addressOf(sequence, sequence.last) }, sequence]),
    )
    const { file, length } = builder.rows
    this.fileStarts = new Uint32Array(this.files.length + 1)
    const isPlaced = (row: number) => file[row] !== NO_FILE
    for (let row = 0; row < length; row++) if (isPlaced(row)) this.fileStarts[file[row]! + 1]!++
    for (let index = 1; index < this.fileStarts.length; index++) this.fileStarts[index]! += this.fileStarts[index - 1]!
    this.byFile = new Uint32Array(this.fileStarts.at(-1)!)
    const next = this.fileStarts.slice()
    for (let row = 0; row < length; row++) if (isPlaced(row)) this.byFile[next[file[row]!]!++] = row
  }

  /** The line of the instruction at an address, or null where no line is known. */
  at(address: bigint): SourceLine | null {
    const found = this.find(address)
    return found === null || this.rows.line[found.row] === 0 ? null : this.sourceLine(found.row)
  }

  /** The addresses around `address` that belong to the same line: what a step by lines goes through. */
  rangeAt(address: bigint): AddressRange | null {
    const found = this.find(address)
    if (found === null) return null
    const { sequence, row } = found
    let first = this.firstHere(sequence, row)
    while (first > sequence.first && this.isSameLine(this.shownAt(sequence, first - 1), row))
      first = this.firstHere(sequence, first - 1)
    let next = this.afterHere(sequence, row)
    while (next < sequence.last && this.isSameLine(this.shownAt(sequence, next), row))
      next = this.afterHere(sequence, next)
    return { start: this.addressOf(sequence, first), end: this.addressOf(sequence, next) }
  }

  /** All code of a line, as pieces in the order of the file. `file` is one of `files`. */
  rangesOfLine(file: string, line: number): LineRange[] {
    return this.piecesOfLine(file, line).filter(({ start, end }) => start !== end)
  }

  /**
   * Where a breakpoint on a line goes: at the first statement of each piece of its code, or at each piece if there is no
   * statement. Ascending. A piece may be empty: then the line's work is done there without an instruction of its own.
   */
  addressesOfLine(file: string, line: number): bigint[] {
    const pieces = this.piecesOfLine(file, line)
    const statements = pieces.flatMap(({ statement }) => (statement === null ? [] : [statement]))
    const starts = new Set(statements.length > 0 ? statements : pieces.map(({ start }) => start))
    return [...starts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** Where statements begin in code that lies together. Ascending. */
  statementsIn({ start, end }: AddressRange): bigint[] {
    const found = this.find(start)
    if (found === null) return []
    const { sequence } = found
    const { line, flags } = this.rows
    const starts = new Set<bigint>()
    for (let row = this.firstHere(sequence, found.row); row < sequence.last; row++) {
      const address = this.addressOf(sequence, row)
      if (address >= end) break
      if (address >= start && line[row] !== 0 && (flags[row]! & RowFlag.statement) !== 0) starts.add(address)
    }
    return [...starts]
  }

  /** The first line from `line` on that there is code for in that file, or null. */
  nextLineWithCode(file: string, line: number): number | null {
    const lines = new Set<number>()
    for (const row of this.rowsOf(file)) if (this.rows.line[row]! >= Math.max(line, 1)) lines.add(this.rows.line[row]!)
    const ascending = [...lines].sort((a, b) => a - b)
    return ascending.find(candidate => this.piecesOfLine(file, candidate).length > 0) ?? null
  }

  /** Files with that path, or whose path ends with it: `main.c`, `kernel/main.c`. */
  filesNamed(path: string): string[] {
    if (this.fileNumbers.has(path)) return [path]
    const ending = `/${path}`
    return this.files.filter(file => file.endsWith(ending))
  }

  /**
   * Where the body of a function that lies from `start` to `end` begins: at the row that says so, else at the function's second
   * place in the source.
   */
  bodyStart(start: bigint, end: bigint): bigint {
    const found = this.find(start)
    if (found === null) return start
    const { sequence } = found
    const { line, flags } = this.rows
    const first = this.firstHere(sequence, found.row)
    // Two rows for one address: the body begins where the function does.
    if (this.addressOf(sequence, first) === start && this.afterHere(sequence, first) > first + 1) return start
    let body: bigint | null = null
    for (let row = first; row < sequence.last; row++) {
      const address = this.addressOf(sequence, row)
      if (address >= end) break
      if ((flags[row]! & RowFlag.prologueEnd) !== 0) return address
      if (address > start && line[row]! >= line[first]!) body ??= address
    }
    return body ?? start
  }

  /** The path of a file by the number a unit uses for it; `program` is the place of the unit's line program. */
  fileNumber(program: number, number: number): string | null {
    return this.files[this.programFiles.get(program)?.[number] ?? NO_FILE] ?? null
  }

  /** Every row of every line program, in their order. */
  *all(): Generator<LineRow> {
    for (const sequence of this.sequences)
      for (let row = sequence.first; row <= sequence.last; row++)
        yield {
          address: this.addressOf(sequence, row),
          ...this.sourceLine(row),
          isPrologueEnd: (this.rows.flags[row]! & RowFlag.prologueEnd) !== 0,
          isSequenceEnd: row === sequence.last,
        }
  }

  /** Rows of a line that follow each other, as one piece each, the empty ones too. */
  private piecesOfLine(file: string, line: number): LineRange[] {
    const { line: lines, flags } = this.rows
    const pieces: LineRange[] = []
    let after = -1
    for (const row of this.rowsOf(file)) {
      if (lines[row] !== line || row < after) continue
      const sequence = this.sequenceOf(row)
      if (row === sequence.last) continue
      let last = row
      while (last < sequence.last && this.isSameLine(last, row)) last++
      after = last
      const start = this.addressOf(sequence, row)
      if (this.sequenceIndex.at(start) !== sequence) continue
      const all = flags.subarray(row, last)
      const statement = all.findIndex(flag => (flag & RowFlag.statement) !== 0)
      pieces.push({
        start,
        end: this.addressOf(sequence, last),
        statement: statement < 0 ? null : this.addressOf(sequence, row + statement),
        isPrologueEnd: all.some(flag => (flag & RowFlag.prologueEnd) !== 0),
      })
    }
    return pieces
  }

  /** The row that says which line an address belongs to. */
  private find(address: bigint): { readonly sequence: Sequence; readonly row: number } | null {
    const sequence = this.sequenceIndex.at(address)
    if (sequence === null) return null
    const offset = Number(address - sequence.start)
    let low = sequence.first
    let high = sequence.last
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.rows.offset[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return { sequence, row: this.shownAt(sequence, low - 1) }
  }

  /** Of several rows for one address the last one that is a statement counts: it is what the program is about to do. */
  private shownAt(sequence: Sequence, row: number): number {
    const last = this.afterHere(sequence, row) - 1
    const first = this.firstHere(sequence, row)
    for (let shown = last; shown >= first && this.rows.line[shown] !== 0; shown--)
      if ((this.rows.flags[shown]! & RowFlag.statement) !== 0) return shown
    return last
  }

  /** The first row for the address that `row` is for. */
  private firstHere(sequence: Sequence, row: number): number {
    let first = row
    while (first > sequence.first && this.rows.offset[first - 1] === this.rows.offset[row]) first--
    return first
  }

  /** The first row after `row` for another address, or the sequence's end. */
  private afterHere(sequence: Sequence, row: number): number {
    let next = row + 1
    while (next < sequence.last && this.rows.offset[next] === this.rows.offset[row]) next++
    return next
  }

  private rowsOf(file: string): Uint32Array {
    const number = this.fileNumbers.get(file)
    return number === undefined
      ? new Uint32Array(0)
      : this.byFile.subarray(this.fileStarts[number], this.fileStarts[number + 1])
  }

  private sequenceOf(row: number): Sequence {
    let low = 0
    let high = this.sequences.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.sequences[middle]!.first <= row) low = middle + 1
      else high = middle
    }
    return this.sequences[low - 1]!
  }

  private addressOf(sequence: Sequence, row: number): bigint {
    return sequence.start + BigInt(this.rows.offset[row]!)
  }

  private isSameLine(a: number, b: number): boolean {
    return this.rows.line[a] === this.rows.line[b] && this.rows.file[a] === this.rows.file[b]
  }

  private sourceLine(row: number): SourceLine {
    const { file, line, column, flags } = this.rows
    return {
      file: this.files[file[row]!] ?? "",
      line: line[row]!,
      column: column[row]!,
      isStatement: (flags[row]! & RowFlag.statement) !== 0,
    }
  }
}

/** Columns of rows, which grow. `offset` is in bytes from the sequence's start. */
class RowTable {
  offset = new Uint32Array(1024)
  file = new Uint32Array(1024)
  line = new Uint32Array(1024)
  column = new Uint16Array(1024)
  flags = new Uint8Array(1024)
  length = 0

  add(offset: number, file: number, line: number, column: number, flags: number): void {
    const row = this.length++
    if (row === this.offset.length) {
      const size = 2 * row
      this.offset = grown(this.offset, new Uint32Array(size))
      this.file = grown(this.file, new Uint32Array(size))
      this.line = grown(this.line, new Uint32Array(size))
      this.column = grown(this.column, new Uint16Array(size))
      this.flags = grown(this.flags, new Uint8Array(size))
    }
    this.offset[row] = offset
    this.file[row] = file
    this.line[row] = line
    this.column[row] = Math.min(column, 0xffff)
    this.flags[row] = flags
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}

class Builder implements LineSink {
  readonly rows = new RowTable()
  readonly sequences: Sequence[] = []
  readonly fileNumbers = new Map<string, number>()
  readonly programFiles = new Map<number, readonly number[]>()
  private files: readonly number[] = []
  /** The sequence that has no end yet, or null. `distance` is that of `base` from its start. */
  private open: { readonly first: number; readonly start: bigint; base: bigint; distance: number } | null = null

  program(offset: number, paths: readonly (string | null)[]): void {
    this.dropOpen()
    this.files = paths.map(path => {
      if (path === null) return NO_FILE
      const number = this.fileNumbers.get(path) ?? this.fileNumbers.size
      this.fileNumbers.set(path, number)
      return number
    })
    this.programFiles.set(offset, this.files)
  }

  row(base: bigint, advanced: number, file: number, line: number, column: number, flags: number): void {
    const { rows } = this
    this.open ??= { first: rows.length, start: base + BigInt(advanced), base, distance: -advanced }
    const { open } = this
    const { first, start } = open
    if (base !== open.base) {
      open.base = base
      open.distance = Number(base - start)
    }
    // Rows of one sequence never go back (section 6.2.5). One that did would make the search in them wrong.
    const offset = Math.max(open.distance + advanced, rows.length > first ? rows.offset[rows.length - 1]! : 0)
    rows.add(Math.min(offset, 0xffff_ffff), this.files[file] ?? NO_FILE, line, column, flags)
    if ((flags & RowFlag.sequenceEnd) === 0) return
    this.sequences.push({ start, first, last: rows.length - 1 })
    this.open = null
  }

  /** Rows without an end stand for nothing. */
  dropOpen(): void {
    if (this.open !== null) this.rows.length = this.open.first
    this.open = null
  }
}
