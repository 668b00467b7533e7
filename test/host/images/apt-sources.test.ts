import { describe, expect, test } from "vitest"
import { debianSources, readAptSources } from "../../../src/host/images/apt-sources.ts"

describe("readAptSources", () => {
  test("one-line sources, with and without options and comments", () => {
    const text = `# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/a.gpg] http://a.example/debian bookworm main contrib # the first
deb-src http://a.example/debian bookworm main
deb http://b.example/debian bookworm main`
    expect(readAptSources("sources.list", text)).toEqual([
      {
        uris: ["http://a.example/debian"],
        suites: ["bookworm"],
        components: ["main", "contrib"],
        signedBy: ["/keys/a.gpg"],
      },
      { uris: ["http://b.example/debian"], suites: ["bookworm"], components: ["main"], signedBy: [] },
    ])
  })

  test("deb822 sources, with folded fields, comments, a key block and a disabled stanza", () => {
    const text = `# a comment
Types: deb deb-src
# another
URIs: http://a.example/debian
 http://b.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
Enabled: no
URIs: http://c.example/debian
Suites: trixie
Components: main

Types: deb-src
URIs: http://d.example/debian
Suites: trixie
Components: main
`
    expect(readAptSources("debian.sources", text)).toEqual([
      {
        uris: ["http://a.example/debian", "http://b.example/debian"],
        suites: ["trixie", "trixie-updates"],
        components: ["main"],
        signedBy: ["-----BEGIN PGP PUBLIC KEY BLOCK-----", ".", "abc"],
      },
    ])
  })
})

describe("debianSources", () => {
  const place = (uri: string, suite: string, component = "main", signedBy: string[] = []) => ({
    uris: [uri],
    suites: [suite],
    components: [component],
    signedBy,
  })

  test("the Debian mirror among others is taken, with its key, for the suite and architecture asked for", () => {
    const sources = [
      place("https://download.docker.example/linux/debian", "bookworm", "stable"),
      place("http://security.example/debian-security", "bookworm-security"),
      place("http://mirror.example/debian", "bookworm", "main", ["/keys/debian.gpg"]),
    ]
    expect(debianSources(sources, "trixie", undefined)).toBe(`Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main
Architectures: riscv64
Signed-By: /keys/debian.gpg
`)
  })

  test("a key block is kept as a folded field that reads as the same", () => {
    const signedBy = ["-----BEGIN PGP PUBLIC KEY BLOCK-----", ".", "abc"]
    const text = debianSources([place("http://mirror.example/debian", "stable", "main", signedBy)], "trixie", undefined)
    expect(readAptSources("x.sources", text!)[0]!.signedBy).toEqual(signedBy)
  })

  test("without a Debian mirror the public one is used, if there is a key for it", () => {
    const ubuntu = [place("http://archive.example/ubuntu", "noble")]
    expect(debianSources(ubuntu, "trixie", "/keys/debian.gpg")).toContain("URIs: http://deb.debian.org/debian\n")
    expect(debianSources(ubuntu, "trixie", undefined)).toBeUndefined()
  })
})
