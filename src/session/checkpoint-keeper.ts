/**
 * Checkpoints of a machine that is being recorded: its state saved without a name now and then, so that its history can be gone back into
 * at once. They are spaced by what saving costs the guest, which is about the pages written meanwhile. They are no events: the log is
 * the same with them and without.
 */
import type { LogWriter } from "../events/index.ts"
import type { Machine } from "../machine/machine.ts"
import type { SnapshotMaker } from "./snapshots.ts"

/** No checkpoint comes sooner after another, in instructions. */
const INSTRUCTIONS_MIN = 256_000_000
/** Saving a page takes as long as some thousand instructions: so many lie between two checkpoints for each page that is saved. */
const INSTRUCTIONS_PER_PAGE = 60_000
/** How often pages are counted, in instructions. */
const LOOK_INSTRUCTIONS = 64_000_000

export class CheckpointKeeper {
  private readonly log: LogWriter
  private readonly machine: Machine
  private readonly maker: SnapshotMaker
  private savedAt: number
  private lookAt: number

  constructor(log: LogWriter, machine: Machine, maker: SnapshotMaker) {
    this.log = log
    this.machine = machine
    this.maker = maker
    this.savedAt = machine.executed
    this.lookAt = this.savedAt + INSTRUCTIONS_MIN
  }

  /** Called after a cut between two rounds. */
  consider(): void {
    const { machine } = this
    const { executed } = machine
    if (executed < this.lookAt) return
    this.lookAt = executed + LOOK_INSTRUCTIONS
    if (executed - this.savedAt < machine.unsavedPages * INSTRUCTIONS_PER_PAGE) return
    this.maker.begin(null, this.log.nextSeq - 1, machine.digest())
    this.savedAt = executed
    this.lookAt = executed + INSTRUCTIONS_MIN
  }
}
