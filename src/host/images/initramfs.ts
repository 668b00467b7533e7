/**
 * The initramfs of a Debian image: busybox under all its names, kernel modules with the index files of modprobe, a few files in /etc,
 * and what busybox's init runs: a shell on the console.
 */
import { type CpioEntry, writeCpio } from "./cpio.ts"
import { type KernelModule, modulesAlias, modulesDep } from "./kernel-modules.ts"

export type InitramfsContent = {
  /** The machine's name, also in the prompt. */
  readonly hostName: string
  /** As `uname -r` says. */
  readonly kernelRelease: string
  /** One word for the greeting, for example `trixie`. */
  readonly suite: string
  readonly busybox: Uint8Array
  readonly applets: readonly string[]
  readonly modules: readonly KernelModule[]
}

/** The archive, uncompressed. The same content gives the same bytes. */
export function buildInitramfs(content: InitramfsContent): Uint8Array<ArrayBuffer> {
  const moduleDirectory = `lib/modules/${content.kernelRelease}`
  const directory = (path: string, mode = 0o755): CpioEntry => ({ kind: "directory", path, mode })
  const link = (path: string, target: string): CpioEntry => ({ kind: "link", path, target })
  const text = (path: string, value: string, mode = 0o644): CpioEntry => ({
    kind: "file",
    path,
    mode,
    data: new TextEncoder().encode(value),
  })
  const device = (path: string, mode: number, major: number, minor: number): CpioEntry => ({
    kind: "character-device",
    path,
    mode,
    major,
    minor,
  })
  return writeCpio([
    ...["bin", "dev", "etc", "lib", "lib/modules", moduleDirectory, "mnt", "proc", "run", "sys", "usr", "var"].map(
      path => directory(path),
    ),
    directory("root", 0o700),
    directory("tmp", 0o1777),
    link("sbin", "bin"),
    link("usr/bin", "../bin"),
    link("usr/sbin", "../bin"),
    link("var/run", "../run"),
    device("dev/console", 0o600, 5, 1),
    device("dev/null", 0o666, 1, 3),
    { kind: "file", path: "bin/busybox", mode: 0o755, data: content.busybox },
    ...content.applets.filter(name => name !== "busybox").map(name => link(`bin/${name}`, "busybox")),
    ...content.modules.map(
      (module): CpioEntry => ({
        kind: "file",
        path: `${moduleDirectory}/${module.fileName}`,
        mode: 0o644,
        data: module.data,
      }),
    ),
    text(`${moduleDirectory}/modules.dep`, modulesDep(content.modules)),
    text(`${moduleDirectory}/modules.alias`, modulesAlias(content.modules)),
    text("etc/group", "root:x:0:\n"),
    text("etc/hostname", `${content.hostName}\n`),
    text("etc/hosts", `127.0.0.1 localhost ${content.hostName}\n::1 localhost\n`),
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    link("init", "bin/busybox"),
    text("etc/inittab", INITTAB),
    text("etc/start", startScript(content), 0o755),
    text("etc/console", consoleScript(content), 0o755),
  ])
}

/**
 * The first process is busybox's init: it gives the shell a terminal of its own and leaves signals as they should be, so that Ctrl-C
 * ends what the shell runs.
 */
const INITTAB = "::sysinit:/etc/start\n::once:/etc/console\n::ctrlaltdel:/bin/reboot\n"

/**
 * Drivers are loaded for the virtio devices that are there and no others, since loading costs time; modprobe loads a file system when
 * it is mounted.
 */
function startScript({ hostName }: InitramfsContent): string {
  return `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
hostname ${hostName}
modprobe -q virtio_mmio
for alias in /sys/bus/virtio/devices/*/modalias; do
  read -r alias 2>/dev/null <"$alias" && modprobe -q "$alias"
done
`
}

/** A shell; leaving it turns the machine off. */
function consoleScript({ hostName, suite }: InitramfsContent): string {
  return `#!/bin/sh
export PATH=/bin HOME=/root TERM=\${TERM:-vt100} USER=root
export PS1='${hostName}:\\w# '
echo "Debian ${suite}, Linux $(uname -r), harts: $(nproc). Type exit or poweroff to end."
cd /
setsid cttyhack sh
poweroff
`
}
