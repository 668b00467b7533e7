/**
 * The Debian mirrors a machine's apt uses, read from its sources: one-line `*.list` files and deb822 `*.sources` files
 * (sources.list(5)). Only the places and keys are taken; the suite and the architecture are the image's own.
 */

/** One place packages come from. `signedBy` holds the lines of the Signed-By field, a path or a key block. */
export type AptSource = {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
  readonly signedBy: readonly string[]
}

/** A source file's name decides its form; `*.sources` is deb822, everything else is one-line. */
export function readAptSources(fileName: string, text: string): readonly AptSource[] {
  return fileName.endsWith(".sources") ? readDeb822(text) : readOneLine(text)
}

const DEBIAN_SUITE =
  /^(?:buster|bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)$/
const PUBLIC_MIRROR = "http://deb.debian.org/debian"

/**
 * The deb822 text that makes apt fetch `suite` for riscv64 from the machine's own Debian mirror. Without one the public mirror is
 * used, trusted with `publicKeyring`; undefined if that is not given either. Only the suite itself is used, without its updates:
 * an image depends on what the user named.
 */
export function debianSources(
  sources: readonly AptSource[],
  suite: string,
  publicKeyring: string | undefined,
): string | undefined {
  const debian = sources.find(
    source =>
      source.components.includes("main") &&
      source.suites.some(name => DEBIAN_SUITE.test(name)) &&
      !source.uris.some(uri => uri.includes("raspbian")),
  )
  if (debian !== undefined) return stanza(debian.uris, suite, debian.signedBy)
  return publicKeyring === undefined ? undefined : stanza([PUBLIC_MIRROR], suite, [publicKeyring])
}

function stanza(uris: readonly string[], suite: string, signedBy: readonly string[]): string {
  const lines = [
    "Types: deb",
    `URIs: ${uris.join(" ")}`,
    `Suites: ${suite}`,
    "Components: main",
    "Architectures: riscv64",
  ]
  if (signedBy.length > 0) lines.push(`Signed-By: ${signedBy.join("\n ")}`)
  return `${lines.join("\n")}\n`
}

function readOneLine(text: string): AptSource[] {
  const sources: AptSource[] = []
  for (const line of text.split("\n")) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.replace(/#.*/, "").trim())
    if (match === null) continue
    const [, options = "", uri = "", suite = "", components = ""] = match
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1]
    sources.push({
      uris: [uri],
      suites: [suite],
      components: words(components),
      signedBy: signedBy === undefined ? [] : [signedBy.replaceAll(",", " ")],
    })
  }
  return sources
}

function readDeb822(text: string): AptSource[] {
  const sources: AptSource[] = []
  for (const block of text.replaceAll(/^#.*\n?/gm, "").split(/\n\s*\n/)) {
    const fields = new Map<string, string[]>()
    let field: string[] = []
    for (const line of block.split("\n")) {
      const start = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line)
      if (start !== null) {
        field = start[2] === "" ? [] : [start[2]!.trimEnd()]
        fields.set(start[1]!.toLowerCase(), field)
      } else if (line.trim() !== "") field.push(line.trim())
    }
    const list = (name: string) => words((fields.get(name) ?? []).join(" "))
    if (!list("types").includes("deb") || list("enabled").some(value => /^(?:no|false|0|off)$/i.test(value))) continue
    sources.push({
      uris: list("uris"),
      suites: list("suites"),
      components: list("components"),
      signedBy: fields.get("signed-by") ?? [],
    })
  }
  return sources
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== "")
}
