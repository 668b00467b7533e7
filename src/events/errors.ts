/** What can go wrong with a world file while operating it. Each message is a sentence that says what to do next. */
import { Schema } from "effect"

/** There is no file at `path`. */
export class WorldNotFound extends Schema.TaggedError<WorldNotFound>()("WorldNotFound", { path: Schema.String }) {
  override get message(): string {
    return `There is no world at ${this.path}; check the name, or list the worlds there are.`
  }
}

/** A world would be created or imported over an existing file. */
export class WorldExists extends Schema.TaggedError<WorldExists>()("WorldExists", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} exists already; choose another name or remove it first.`
  }
}

/** Another process, or another part of this one, holds the world for recording. */
export class WorldInUse extends Schema.TaggedError<WorldInUse>()("WorldInUse", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} is in use: another chronovisor is recording into it; stop that one first, or read the world meanwhile.`
  }
}

/** The file cannot be opened as a world: not a database, not a world, or the operating system refuses. */
export class WorldUnreadable extends Schema.TaggedError<WorldUnreadable>()("WorldUnreadable", {
  path: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.path} cannot be opened as a world: ${this.problem}.`
  }
}

/** The file has a format this version does not know yet. */
export class WorldNewer extends Schema.TaggedError<WorldNewer>()("WorldNewer", {
  path: Schema.String,
  format: Schema.Number,
  supported: Schema.Number,
}) {
  override get message(): string {
    return `${this.path} was written by a newer chronovisor (format ${this.format}; this one knows up to ${this.supported}); upgrade chronovisor to open it.`
  }
}

/** A fork without the world that its history begins in. `problem` goes on from that world's path: "is not there". */
export class ParentUnusable extends Schema.TaggedError<ParentUnusable>()("ParentUnusable", {
  path: Schema.String,
  parent: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.path} is a fork, and its parent world ${this.parent} ${this.problem}; put the parent back as it was, or use an export of the fork.`
  }
}

/** A fork with more worlds before it than can be opened together. */
export class ForkTooDeep extends Schema.TaggedError<ForkTooDeep>()("ForkTooDeep", {
  path: Schema.String,
  ancestors: Schema.Number,
}) {
  override get message(): string {
    return `${this.path} is a fork with ${this.ancestors} worlds before it, and there can be no more; export it, import that file, and fork the new world.`
  }
}

/** A world that forks beside it need. */
export class WorldHasForks extends Schema.TaggedError<WorldHasForks>()("WorldHasForks", {
  path: Schema.String,
  forks: Schema.Array(Schema.String),
}) {
  override get message(): string {
    return `${this.path} stays, as these forks cannot be read without it: ${this.forks.join(", ")}; export or remove them first, or remove it with --force.`
  }
}

/** The content of the file is not what was written: `seq` is the first event concerned, null when it is no event. */
export class WorldDamaged extends Schema.TaggedError<WorldDamaged>()("WorldDamaged", {
  path: Schema.String,
  seq: Schema.NullOr(Schema.Number),
  kind: Schema.NullOr(Schema.String),
  position: Schema.NullOr(Schema.String),
  problem: Schema.String,
}) {
  override get message(): string {
    const kind = this.kind === null ? "" : ` (${this.kind})`
    const at = this.position === null ? "" : ` at ${this.position}`
    const where = this.seq === null ? "" : ` at event ${this.seq}${kind}${at}`
    return `${this.path} is damaged${where}: ${this.problem}; restore it from an export, or use what precedes the damage.`
  }
}

/** An event of a kind or version that this version of the project does not know. */
export class UnknownEvent extends Schema.TaggedError<UnknownEvent>()("UnknownEvent", {
  kind: Schema.String,
  version: Schema.Number,
}) {
  override get message(): string {
    return `An event of kind "${this.kind}", version ${this.version}, is unknown here: it was written by a newer chronovisor; upgrade to read it.`
  }
}

/** The bytes of an event's payload do not follow the layout of its kind and version. */
export class MalformedPayload extends Schema.TaggedError<MalformedPayload>()("MalformedPayload", {
  kind: Schema.String,
  version: Schema.Number,
  problem: Schema.String,
}) {
  override get message(): string {
    return `The payload of an event of kind "${this.kind}", version ${this.version}, cannot be decoded: ${this.problem}; verify the world to find the damage.`
  }
}

/** The host did not take what was to be written. What was durable before stays valid. */
export class WorldWriteFailed extends Schema.TaggedError<WorldWriteFailed>()("WorldWriteFailed", {
  path: Schema.String,
  /** SQLite's extended result code, for example SQLITE_FULL. */
  code: Schema.String,
  problem: Schema.String,
  /** Last event that is safely in the file; -1 where there is no file. */
  durableSeq: Schema.Number,
}) {
  override get message(): string {
    const advice =
      this.code === "SQLITE_FULL"
        ? "the disk or the file's size limit is full; make room, then resume"
        : `${this.problem} (${this.code}); mend the cause, then resume`
    if (this.durableSeq < 0)
      return this.code === "SQLITE_FULL"
        ? `${this.path} could not be made: the disk is full; make room, then run it again.`
        : `${this.path} could not be made: ${this.problem} (${this.code}).`
    return `Recording into ${this.path} stopped: ${advice}. Everything up to event ${this.durableSeq} is safe.`
  }
}

/** The statement is something else than one query that only reads. */
export class SqlRefused extends Schema.TaggedError<SqlRefused>()("SqlRefused", { problem: Schema.String }) {
  override get message(): string {
    return `The statement was refused: ${this.problem}; a world's history can be queried, not changed: use one SELECT.`
  }
}

/** The query is not valid. */
export class SqlFailed extends Schema.TaggedError<SqlFailed>()("SqlFailed", { problem: Schema.String }) {
  override get message(): string {
    return `The query failed: ${this.problem}; the tables are events, console, inputs, interrupts, snapshots, blobs, traps and switches.`
  }
}

export class SnapshotNotFound extends Schema.TaggedError<SnapshotNotFound>()("SnapshotNotFound", {
  path: Schema.String,
  snapshot: Schema.String,
}) {
  override get message(): string {
    return `${this.path} has no snapshot ${this.snapshot}; list the snapshots to see which there are.`
  }
}

export class SnapshotExists extends Schema.TaggedError<SnapshotExists>()("SnapshotExists", {
  path: Schema.String,
  snapshot: Schema.String,
}) {
  override get message(): string {
    return `${this.path} has a snapshot named ${this.snapshot} already; choose another name or remove that one first.`
  }
}

/** A snapshot that lies in the file of a world before. */
export class SnapshotInherited extends Schema.TaggedError<SnapshotInherited>()("SnapshotInherited", {
  path: Schema.String,
  snapshot: Schema.String,
}) {
  override get message(): string {
    return `The snapshot ${this.snapshot} is not in ${this.path} but in a world that this one was forked from; remove it there.`
  }
}

export class BlobNotFound extends Schema.TaggedError<BlobNotFound>()("BlobNotFound", {
  path: Schema.String,
  hash: Schema.String,
}) {
  override get message(): string {
    return `${this.path} does not contain the content ${this.hash}; the image it came from must be given again.`
  }
}

export class PositionMalformed extends Schema.TaggedError<PositionMalformed>()("PositionMalformed", {
  text: Schema.String,
  /** What else could be written there. */
  otherwise: Schema.optional(Schema.String),
}) {
  override get message(): string {
    const more = this.otherwise === undefined ? "" : `, or give ${this.otherwise}`
    return `"${this.text}" is not a position; write it as r1204.m0.h1.i123456789 (round, machine, hart, instructions)${more}.`
  }
}

/** What opening a world can fail with. */
export type OpenError = WorldNotFound | WorldUnreadable | WorldNewer | WorldDamaged | ParentUnusable

/** What reading an opened world can fail with. */
export type ReadError = WorldDamaged | WorldUnreadable | UnknownEvent | MalformedPayload

export const isReadError = (cause: unknown): cause is ReadError =>
  [WorldDamaged, WorldUnreadable, UnknownEvent, MalformedPayload].some(kind => cause instanceof kind)
