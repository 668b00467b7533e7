/**
 * Types what docs/worked-example.md shows to be typed, in a home directory of its own, and checks that what is printed is what the
 * document shows, and that the code it shows is that of the guest.
 *
 *     node tools/worked-example.ts    # wants dist/main.js: npm run build
 */

import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { blocksOf, isShown, linesOf, type Step, stepsOf } from "./transcript.ts"

const root = join(import.meta.dirname, "..")
const path = "docs/worked-example.md"
const guest = "scenarios/guests/race"
const TIMEOUT_MS = 120_000
/** What the document calls the place gdb connects to. */
const PLACE = "127.0.0.1:1234"
const DIVIDER = "-- next --"

/** Whether it is as the document has it; says so where it is not. */
const compare = ({ line, command, shown }: Step, printed: string): boolean => {
  const lines = linesOf(printed)
  if (isShown(shown, lines)) return true
  console.error(
    `${path}:${line}: ${command}\n-- is shown to print\n${shown.join("\n")}\n-- and prints\n${lines.join("\n")}\n`,
  )
  return false
}

/** How many pieces of code are in no source of the guest. */
const strangeCode = (document: string): number => {
  const sources = readdirSync(join(root, guest)).filter(name => name.endsWith(".c"))
  const texts = sources.map(name => readFileSync(join(root, guest, name), "utf8"))
  const strange = blocksOf(document, "c").filter(({ lines }) => !texts.some(text => text.includes(lines.join("\n"))))
  for (const { line } of strange) console.error(`${path}:${line}: no file of ${guest} has this code\n`)
  return strange.length
}

/** Types commands in a shell, one after the other; how many did not print what is shown. */
const typeInShell = (steps: readonly Step[], env: NodeJS.ProcessEnv): number => {
  let status = 0
  let wrong = 0
  for (const step of steps) {
    // As in one shell: `$?` is the status of the command before.
    const script = `exec 2>&1; (exit ${status}); ${step.command}`
    const run = spawnSync("bash", ["-c", script], { cwd: root, env, encoding: "utf8", timeout: TIMEOUT_MS })
    status = run.status ?? 1
    if (!compare(step, run.stdout)) wrong++
  }
  return wrong
}

/** Types commands in gdb, connected to a server of its own. */
const typeInGdb = async (steps: readonly Step[], env: NodeJS.ProcessEnv, folder: string): Promise<number> => {
  const serving = ["gdb", "race", "--listen", "127.0.0.1:0", "--once"]
  const server = spawn("cv", serving, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] })
  try {
    const place = await new Promise<string>((resolve, reject) => {
      server.stdout.on("data", bytes => resolve(/^Listening on (\S+);/.exec(String(bytes))?.[1] ?? ""))
      server.on("error", reject).on("exit", code => reject(new Error(`cv gdb ended with ${code}`)))
    })
    const typed = steps.map(({ command }) => `${command.replace(PLACE, place)}\necho ${DIVIDER}\\n`)
    const script = join(folder, "commands.gdb")
    writeFileSync(script, ["set pagination off", "set width 0", "set style enabled off", ...typed, ""].join("\n"))
    const options = { cwd: root, encoding: "utf8", timeout: TIMEOUT_MS } as const
    const { stdout } = spawnSync("gdb-multiarch", ["-nx", "-batch", "-x", script, `${guest}/race.elf`], options)
    const printed = stdout.split(`${DIVIDER}\n`)
    return steps.filter((step, order) => !compare(step, printed[order] ?? "")).length
  } finally {
    server.kill()
  }
}

const main = async (): Promise<number> => {
  const document = readFileSync(join(root, path), "utf8")
  const folder = mkdtempSync(join(tmpdir(), "worked-example-"))
  try {
    const commands = join(folder, "bin")
    mkdirSync(commands)
    writeFileSync(join(commands, "cv"), `#!/bin/sh\nexec "${process.execPath}" "${join(root, "dist/main.js")}" "$@"\n`)
    chmodSync(join(commands, "cv"), 0o755)
    const env = {
      ...process.env,
      PATH: `${commands}${delimiter}${process.env.PATH}`,
      CHRONOVISOR_HOME: join(folder, "home"),
    }
    const inShell = stepsOf(document, "console", "$ ")
    let wrong = strangeCode(document) + typeInShell(inShell, env)
    console.log(`${path}: ${inShell.length} commands typed in a shell`)
    const inGdb = stepsOf(document, "gdb", "(gdb) ")
    if (spawnSync("gdb-multiarch", ["--version"]).status === 0) {
      wrong += await typeInGdb(inGdb, env, folder)
      console.log(`${path}: ${inGdb.length} commands typed in gdb`)
    } else console.log(`${path}: what is typed in gdb was not tried, as gdb-multiarch is not installed`)
    console.log(wrong === 0 ? "All is as the document shows it." : `${wrong} times it is not as the document shows it.`)
    return wrong === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

process.exitCode = await main()
