/** What can go wrong with images. Each message is a sentence that says what to do next. */
import { Schema } from "effect"

/** A program that building needs is not installed. */
export class AptMissing extends Schema.TaggedError<AptMissing>()("AptMissing", { program: Schema.String }) {
  override get message(): string {
    return `Building an image needs ${this.program}, which this machine does not have; build on a Debian or Ubuntu machine or in a container of one, or add a kernel and an initrd you have with \`cv image add\`.`
  }
}

/** No Debian mirror in the machine's sources, and no keyring to trust the public one with. */
export class DebianSourcesMissing extends Schema.TaggedError<DebianSourcesMissing>()("DebianSourcesMissing", {}) {
  override get message(): string {
    return "The apt sources of this machine name no Debian mirror and Debian's keyring is not installed; install the package debian-archive-keyring and try again."
  }
}

/** The mirror could not be reached or has no such suite. */
export class MirrorUnreachable extends Schema.TaggedError<MirrorUnreachable>()("MirrorUnreachable", {
  suite: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `Debian's mirror did not deliver ${this.suite} (${this.problem}); check the network, the apt sources of this machine and the name of the suite, then try again.`
  }
}

/** A signature of the archive does not verify. */
export class SignatureRejected extends Schema.TaggedError<SignatureRejected>()("SignatureRejected", {
  suite: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `The signature of ${this.suite} could not be verified (${this.problem}); update the package debian-archive-keyring and try again.`
  }
}

export class PackageNotFound extends Schema.TaggedError<PackageNotFound>()("PackageNotFound", {
  packageName: Schema.String,
  suite: Schema.String,
}) {
  override get message(): string {
    return `Debian ${this.suite} has no package ${this.packageName} for riscv64; choose a suite that has it with --suite, for example trixie.`
  }
}

/** A downloaded file is not the one the archive's signed index names. */
export class ChecksumMismatch extends Schema.TaggedError<ChecksumMismatch>()("ChecksumMismatch", {
  path: Schema.String,
  expected: Schema.String,
  actual: Schema.String,
}) {
  override get message(): string {
    return `${this.path} has the SHA-256 checksum ${this.actual} instead of ${this.expected}, so it was removed; try again, with another mirror if that repeats itself.`
  }
}

/** A package does not contain what an image needs of it. */
export class PackageUnusable extends Schema.TaggedError<PackageUnusable>()("PackageUnusable", {
  packageName: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `No image can be made from the package ${this.packageName}: ${this.problem}; choose another suite with --suite.`
  }
}

/** A program that was started failed in a way that has no better name. */
export class ProgramFailed extends Schema.TaggedError<ProgramFailed>()("ProgramFailed", {
  program: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.program} failed: ${this.problem}; mend the cause and try again.`
  }
}

export class DiskFull extends Schema.TaggedError<DiskFull>()("DiskFull", { path: Schema.String }) {
  override get message(): string {
    return `The disk that holds ${this.path} is full; make room or choose another place with --home, then try again.`
  }
}

/** The operating system refused a file operation in the image store. */
export class StorageFailed extends Schema.TaggedError<StorageFailed>()("StorageFailed", {
  path: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.path} cannot be used: ${this.problem}; mend that or choose another place with --home.`
  }
}

/** A file given by the user cannot be read. */
export class FileUnreadable extends Schema.TaggedError<FileUnreadable>()("FileUnreadable", {
  path: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.path} cannot be read: ${this.problem}; check the path.`
  }
}

/** A file given as kernel cannot be one. `problem` is a sentence with its advice. */
export class KernelRejected extends Schema.TaggedError<KernelRejected>()("KernelRejected", {
  path: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.path} cannot be started: ${this.problem.charAt(0).toLowerCase()}${this.problem.slice(1)}`
  }
}

export class ImageNameInvalid extends Schema.TaggedError<ImageNameInvalid>()("ImageNameInvalid", {
  name: Schema.String,
}) {
  override get message(): string {
    return `"${this.name}" cannot be an image's name; use up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.`
  }
}

export class ImageExists extends Schema.TaggedError<ImageExists>()("ImageExists", { name: Schema.String }) {
  override get message(): string {
    return `There is an image named ${this.name} already; replace it with --force, or remove it with \`cv image rm ${this.name}\`.`
  }
}

export class UnknownImage extends Schema.TaggedError<UnknownImage>()("UnknownImage", {
  name: Schema.String,
  near: Schema.Array(Schema.String),
}) {
  override get message(): string {
    const advice =
      this.near.length > 0
        ? `did you mean ${this.near.join(" or ")}?`
        : this.name === "debian"
          ? "build it with `cv image build debian`."
          : "`cv image ls` lists those there are."
    return `There is no image named ${this.name}; ${advice}`
  }
}

/** The files of an image are not what was stored. */
export class ImageDamaged extends Schema.TaggedError<ImageDamaged>()("ImageDamaged", {
  name: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `The image ${this.name} is damaged: ${this.problem}; remove it with \`cv image rm ${this.name}\` and build or add it again.`
  }
}

export type HostFileError = DiskFull | StorageFailed

export type BuildError =
  | AptMissing
  | DebianSourcesMissing
  | MirrorUnreachable
  | SignatureRejected
  | PackageNotFound
  | ChecksumMismatch
  | PackageUnusable
  | ProgramFailed
  | HostFileError
