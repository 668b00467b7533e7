/**
 * Checkpoints of a machine that is being recorded: its state saved without a name now and then, so that its history can be gone back into
 * at once. They are spaced by what saving costs the guest, which is about the pages written meanwhile. They are no events: the log is
 * the same with them and without.
 */
import type { LogWriter } from "../events/index.ts"
import type { Machine } from "../machine/machine.ts"
import type { SnapshotMaker } from "./snapshots.ts"

/** How far apart checkpoints are, in instructions of all harts together. */
export interface CheckpointSpacing {
  /** None comes sooner after another. */
  readonly least: number
  /** Saving a page takes as long as some thousand instructions: so many lie between two for each page that is saved. */
  readonly perPage: number
  /** How often pages are counted. */
  readonly look: number
  /** So many looks are waited for whoever stores checkpoints to be ready. */
  readonly patience: number
}

export const usualSpacing: CheckpointSpacing = { least: 64_000_000, perPage: 20_000, look: 16_000_000, patience: 8 }

export class CheckpointKeeper {
  private readonly log: LogWriter
  private readonly machine: Machine
  private readonly maker: SnapshotMaker
  private readonly spacing: CheckpointSpacing
  private savedAt: number
  private lookAt: number
  /** The first one has to hold what was loaded, and what a kernel puts in order at its start, whenever it comes. */
  private isFirst = true
  private waited = 0

  constructor(log: LogWriter, machine: Machine, maker: SnapshotMaker, spacing = usualSpacing) {
    this.log = log
    this.machine = machine
    this.maker = maker
    this.spacing = spacing
    this.savedAt = machine.executed
    this.lookAt = this.savedAt + spacing.least
  }

  /** Called after a cut between two rounds. */
  consider(): void {
    const { machine, maker, spacing, log } = this
    const { executed } = machine
    if (executed < this.lookAt) return
    this.lookAt = executed + spacing.look
    const pages = maker.unsavedPages
    if (!this.isFirst && executed - this.savedAt < pages * spacing.perPage) return
    if (!log.isReadyForSnapshot(pages) && this.waited++ < spacing.patience) return
    this.waited = 0
    maker.begin(null, log.nextSeq - 1, machine.digest())
    this.isFirst = false
    this.savedAt = executed
    this.lookAt = executed + spacing.least
  }
}
