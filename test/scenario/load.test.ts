import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { describeStep, parseScenario } from "../../src/scenario/index.ts"

const head = ["name: one", "description: what it shows", "kernel: a.elf"]
const source = (...steps: readonly string[]): string =>
  [...head, "steps:", ...steps.map(step => `  - ${step}`), ""].join("\n")
const load = (text: string) => Effect.runSync(parseScenario("a.yaml", text))
const refusal = (text: string): string => Effect.runSync(Effect.flip(parseScenario("a.yaml", text))).message

describe("a scenario file", () => {
  it("declares a machine and steps", () => {
    const scenario = load(
      [
        "name: all-of-it",
        "description: everything there is",
        "image: debian",
        "firmware: none",
        "harts: 4",
        "memory: 64M",
        "append: quiet",
        "initrd: initrd.gz",
        "disks: [a.img, { blank: 1M }, { file: b.img, readonly: true }]",
        "seed: 7",
        "steps:",
        "  - expect: plain / text",
        "    within: 5s",
        "  - expect: /^a.c$/im",
        "  - type: ls",
        '  - type: "\\x03"',
        "    raw: true",
        "  - wait: 1.5ms",
        "  - snapshot: here",
        "  - restore: here",
        "  - crash: SIGKILL",
        "  - assert:",
        "      console: { contains: text, count: 2 }",
        "      register: { hart: 3, name: a0, value: '0xffffffffffffffff' }",
        "      memory: { address: 0x80001000, size: 4, value: 7 }",
        "      digest: { same-as: here }",
        "      exit: 0",
      ].join("\n"),
    )
    expect(scenario).toMatchObject({ image: "debian", harts: 4, memory: 64 << 20, seed: 7 })
    expect(scenario.disks).toEqual(["a.img", { blank: 1 << 20 }, { file: "b.img", readonly: true }])
    expect(scenario.steps).toMatchObject([
      { verb: "expect", expect: "plain / text", within: 5e9 },
      { verb: "expect", expect: /^a.c$/im },
      { verb: "type", type: "ls" },
      { verb: "type", type: "\x03", raw: true },
      { verb: "wait", wait: 1.5e6 },
      { verb: "snapshot", snapshot: "here" },
      { verb: "restore", restore: "here" },
      { verb: "crash" },
      {
        verb: "assert",
        assert: {
          register: { hart: 3, value: 0xffffffffffffffffn },
          memory: { address: 0x80001000n, size: 4, value: 7n },
        },
      },
    ])
    expect(describeStep(scenario.steps.at(-1)!)).toBe(
      'assert console contains "text" 2 times, hart 3 a0 = 0xffffffffffffffff, memory 0x80001000, 4 bytes = 0x7, digest as at here, exit 0',
    )
  })

  it.each<[string, string, string]>([
    ["no YAML", "name: [", "a.yaml:1:8: This is not valid YAML: "],
    ["an unquoted colon", source("expect: summary: ok"), "a.yaml:5:13: This is not valid YAML: "],
    ["no mapping", "- 1", "a.yaml:1:1: A scenario is a mapping with name, description and steps."],
    ["a missing name", "description: x\nkernel: k\nsteps: [wait: 1s]", 'a.yaml:1:1: "name" is missing.'],
    ["no steps", head.join("\n"), 'a.yaml:1:1: "steps" must be a list of steps.'],
    ["a bad name", "name: One\ndescription: x\nkernel: k\nsteps: [wait: 1s]", 'a.yaml:1:7: "name" must consist of'],
    ["a bad step", source("typ: x"), 'a.yaml:5:5: There is no step "typ"; did you mean type.'],
    ["a step that is none", source("7"), "a.yaml:5:5: This is no step; a step is one of expect, type, wait,"],
    ["a bad duration", source("wait: 5"), 'a.yaml:5:11: "wait" must be text; put it in quotes if it is.'],
    ["no unit", source('wait: "5"'), 'a.yaml:5:11: "wait" must be a virtual time such as 250ms or 5s.'],
    ["a stray key", source("type: x", "wait: 1s\n    within: 1s"), 'a.yaml:7:5: There is no key "within" here; check'],
    ["a bad pattern", source("expect: /(/"), 'a.yaml:5:13: "expect" is no regular expression: '],
    ["an unknown snapshot", source("restore: x"), "a.yaml:5:14: No step before takes a snapshot named x."],
    ["a snapshot twice", source("snapshot: x", "snapshot: x"), "a.yaml:6:15: There is a snapshot named x already."],
    ["an empty assertion", source("assert: {}"), 'a.yaml:5:13: "assert" must say what holds: '],
    [
      "a bad register",
      source("assert: { register: { name: q1, value: 1 } }"),
      `a.yaml:5:33: "name" must be a register's name`,
    ],
    [
      "a hart too many",
      source("assert: { register: { hart: 1, name: a0, value: 1 } }"),
      'a.yaml:5:33: "hart" must be less than the number of harts, 1.',
    ],
    [
      "a number too large",
      source("assert: { register: { name: a0, value: 0x8000000000000001 } }"),
      'a.yaml:5:44: "value" is too large to be exact; put it in quotes.',
    ],
    ["too many harts", `${source("wait: 1s")}harts: 9\n`, 'a.yaml:6:8: "harts" must be 1 to 8.'],
    [
      "both image and kernel",
      `${source("wait: 1s")}image: x\n`,
      "a.yaml:6:1: A scenario starts either an image or a kernel.",
    ],
    [
      "neither",
      "name: a\ndescription: x\nsteps: [wait: 1s]",
      "a.yaml:1:1: A scenario starts either an image or a kernel.",
    ],
  ])("with %s is refused where that is", (_, text, message) => {
    expect(refusal(text)).toContain(message)
    expect(refusal(text).startsWith(message)).toBe(true)
    expect(refusal(text)).toMatch(/^a\.yaml:\d+:\d+: [A-Z"].*\.$/s)
  })
})
