/** Lines of memory that changed between two checkpoints although the world's file says that nobody wrote to them. */
import { Effect } from "effect"
import type { SnapshotInfo, World } from "../../src/events/index.ts"
import { LINE_BYTES, LINES_PER_PAGE, PAGE_BYTES } from "../../src/machine/machine-config.ts"
import { machineOf } from "../../src/session/build-machine.ts"

/** What of memories was compared. */
export interface Comparison {
  /** How many pairs of neighbouring moments were. */
  readonly pairs: number
  /** Lines that differ between the two of a pair, and lines that are said to be written. */
  readonly changed: number
  readonly marked: number
  /** Of those that differ, the ones that are not, in words. */
  readonly unmarked: readonly string[]
}

/** A memory at some moment, page by page. */
interface Memory {
  readonly seq: number
  readonly page: (index: number) => Buffer
}

const zeros = Buffer.alloc(PAGE_BYTES)
const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const memoryOf = (world: World, { id, seq }: SnapshotInfo) =>
  Effect.map(world.snapshotMemory(id), (memory): Memory => {
    const stored = new Set(memory.indexes)
    return { seq, page: index => (stored.has(index) ? bufferOf(memory.read(index)) : zeros) }
  })

const memoryAtBegin = (world: World) =>
  Effect.map(machineOf(world), ({ core }): Memory => {
    const ram = bufferOf(core.ram)
    return { seq: 0, page: index => ram.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES) }
  })

/** Compares the memories of neighbouring checkpoints, the beginning included, and what is known to be written between them. */
export const compareWithMarks = Effect.fnUntraced(function* (world: World) {
  const spans = yield* world.writtenSpans
  const snapshots = (yield* world.snapshots).toSorted((a, b) => a.seq - b.seq)
  let [pairs, changed, marked] = [0, 0, 0]
  const unmarked: string[] = []
  let before = yield* memoryAtBegin(world)
  for (const snapshot of snapshots) {
    const after = yield* memoryOf(world, snapshot)
    const span = spans.find(({ fromSeq, toSeq }) => fromSeq === before.seq && toSeq === after.seq)
    if (span === undefined) continue
    pairs++
    const written = new Set<number>()
    for (const [order, page] of span.pages.entries())
      for (let line = 0; line < LINES_PER_PAGE; line++)
        if ((span.lines[2 * order + (line >>> 5)]! >>> (line & 31)) & 1) written.add(page * LINES_PER_PAGE + line)
    marked += written.size
    for (let page = 0; page < snapshot.pageCount; page++) {
      const [old, now] = [before.page(page), after.page(page)]
      if (old.equals(now)) continue
      for (let line = 0; line < LINES_PER_PAGE; line++) {
        const [from, to] = [line * LINE_BYTES, (line + 1) * LINE_BYTES]
        if (old.compare(now, from, to, from, to) === 0) continue
        changed++
        if (!written.has(page * LINES_PER_PAGE + line))
          unmarked.push(`line ${line} of page ${page} differs between events ${before.seq} and ${after.seq}`)
      }
    }
    before = after
  }
  return { pairs, changed, marked, unmarked } satisfies Comparison
})
