/**
 * A Debian archive for tests, and programs in the place of apt and dpkg that serve it without a network. A "package" is a tar file; what
 * goes wrong is told in files.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { elfFile, linuxImage } from "../../machine/elf-file.ts"

const RELEASE = "6.12.1-riscv64"
const MODULES = `usr/lib/modules/${RELEASE}`

const PROGRAMS = {
  "apt-config": `echo 'Dir "/";'
echo "Dir::Etc \\"\${ARCHIVE#/}/etc\\";"
echo 'Dir::Etc::sourcelist "sources.list";'
echo 'Dir::Etc::sourceparts "sources.list.d";'
echo 'Acquire::http::Proxy "http://proxy.example:3128";'
echo 'APT::Update::Post-Invoke:: "touch /never";'`,
  "apt-get": `case "$*" in
*update)
  if [ -e "$ARCHIVE/update-fails" ]; then cat "$ARCHIVE/update-fails" >&2; exit 100; fi ;;
*download*)
  if [ -e "$ARCHIVE/download-hangs" ]; then touch "$ARCHIVE/hanging"; exec sleep 60; fi
  if [ -e "$ARCHIVE/download-fails" ]; then cat "$ARCHIVE/download-fails" >&2; exit 100; fi
  for wanted; do :; done
  name=\${wanted%%=*}
  echo "dlstatus:1:50.0:Retrieving" >&3
  cp "$ARCHIVE/$name.tar" "\${name}_$(printf %s "\${wanted#*=}" | sed s/:/%3a/)_riscv64.deb" ;;
esac`,
  "apt-cache": `for name; do :; done
if [ -e "$ARCHIVE/$name.package" ]; then cat "$ARCHIVE/$name.package"; else echo "E: No packages found" >&2; exit 100; fi`,
  "dpkg-deb": `case "$1" in
--extract) tar -xf "$2" -C "$3" ;;
esac`,
}

export class FakeDebian {
  readonly directory = mkdtempSync(join(tmpdir(), "fake-debian-"))
  readonly home = join(this.directory, "home")
  readonly #path = process.env.PATH

  constructor() {
    for (const [name, script] of Object.entries(PROGRAMS)) {
      this.write(`bin/${name}`, `#!/bin/sh\nset -e\nARCHIVE='${this.directory}'\n${script}\n`)
      chmodSync(join(this.directory, "bin", name), 0o755)
    }
    this.write("etc/sources.list", "deb [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main\n")
    const module = (name: string, info: string) => ({
      [`${MODULES}/kernel/drivers/${name}.ko`]: elfFile({
        type: 1,
        sections: [{ name: ".modinfo", data: new TextEncoder().encode(info.replaceAll("|", "\0")) }],
      }),
    })
    this.package("linux-image-riscv64", "6.12.1-1", {}, "linux-image-6.12.1-riscv64 (= 6.12.1-1)")
    this.package("linux-image-6.12.1-riscv64", "6.12.1-1", {
      [`boot/vmlinux-${RELEASE}`]: linuxImage({ efiStub: true }),
      [`${MODULES}/modules.builtin`]: "kernel/drivers/char/virtio_console.ko\n",
      ...module("virtio_mmio", "depends=|alias=of:N*T*Cvirtio,mmio|"),
      ...module("virtio_blk", "depends=|alias=virtio:d00000002v*|"),
      ...module("virtio-rng", "depends=|alias=virtio:d00000004v*|"),
      ...module("ext4", "depends=jbd2|softdep=pre: crypto-crc32c|alias=fs-ext4|"),
      ...module("jbd2", "depends=|softdep=pre: crypto-crc32c|"),
      ...module("crc32c_generic", "depends=|alias=crypto-crc32c|"),
      ...module("unused", "depends=|"),
    })
    const applets = "[ [[ cttyhack hostname modprobe mount nproc poweroff setsid sh sort"
    this.package("busybox-static", "1:1.37.0-6", { "usr/bin/busybox": `ELF...${applets.replaceAll(" ", "\0")}\0\0` })
    process.env.PATH = `${join(this.directory, "bin")}:${this.#path}`
  }

  /** From now on this machine has no programs at all. */
  removePrograms(): void {
    process.env.PATH = join(this.directory, "nothing")
  }

  /** Writes a file below the archive's directory. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  package(name: string, version: string, files: Record<string, string | Uint8Array>, depends = ""): void {
    for (const [path, content] of Object.entries(files)) this.write(`packages/${name}/${path}`, content)
    mkdirSync(join(this.directory, "packages", name), { recursive: true })
    const tar = join(this.directory, `${name}.tar`)
    execFileSync("tar", ["-cf", tar, "-C", join(this.directory, "packages", name), "."], {
      env: { ...process.env, PATH: this.#path },
    })
    const sha256 = createHash("sha256").update(readFileSync(tar)).digest("hex")
    this.write(
      `${name}.package`,
      `Package: ${name}\nArchitecture: riscv64\nVersion: ${version}\nDepends: ${depends}\nSize: ${statSync(tar).size}\nSHA256: ${sha256}\n\n`,
    )
  }

  close(): void {
    process.env.PATH = this.#path
    rmSync(this.directory, { recursive: true, force: true })
  }
}
