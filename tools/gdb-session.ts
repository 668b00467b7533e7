/**
 * A session of stock gdb with a recorded Linux with two harts, as somebody at a keyboard would have it: `node tools/gdb-session.ts W`.
 * Nothing is given to gdb but the address of the server; exit code 1 where an answer is not what it has to be.
 */
import { spawn, spawnSync } from "node:child_process"
import { createInterface } from "node:readline"

const program = new URL("../dist/main.js", import.meta.url).pathname
const [world] = process.argv.slice(2)
if (world === undefined) {
  process.stderr.write("usage: node tools/gdb-session.ts W\n")
  process.exit(2)
}

/** What is typed, and what gdb has to answer. */
const session: readonly (readonly [typed: string, answer: RegExp])[] = [
  ["monitor seek 0.5s", /position\s+r\d+\.m0\.h\d\.i\d+/],
  ["break do_sys_openat2", /Breakpoint 1 at 0xffffffff/],
  ["continue", /Breakpoint 1, 0x[\da-f]+ in do_sys_openat2 \(\)/],
  ["backtrace 2", /#0 .*do_sys_openat2 \(\)\s+#1 .* in \w+/],
  ["delete", /^/],
  ["watch *(unsigned long *) &jiffies_64", /Hardware watchpoint 2/],
  ["continue", /Hardware watchpoint 2[\s\S]*Old value = (\d+)[\s\S]*New value = (\d+)/],
  ["continue", /Hardware watchpoint 2[\s\S]*Old value = (\d+)[\s\S]*New value = (\d+)/],
  ["reverse-continue", /Hardware watchpoint 2[\s\S]*Old value = (\d+)[\s\S]*New value = (\d+)/],
  ["backtrace 3", /#0 .* in tick_do_update_jiffies64 \(\)/],
  ["delete", /^/],
  // Over a trap: from its first instruction in the kernel back to the one in the program that raised it.
  ["break handle_exception if $priv == 1 && $scause == 8", /Breakpoint 3/],
  ["continue", /Breakpoint 3, 0x[\da-f]+ in handle_exception \(\)/],
  ["delete", /^/],
  ["reverse-stepi", /0x0*[\da-f]{1,12} in \?\? \(\)/],
  ["x/i $pc", /ecall/],
  ["stepi", /handle_exception/],
  ["info threads", /1\s+Thread[\s\S]*2\s+Thread/],
  ["thread 1", /Switching to thread 1/],
  ["stepi", /0x[\da-f]+/],
  ["thread 2", /Switching to thread 2/],
  ["reverse-stepi", /0x[\da-f]+/],
  ["monitor seek start", /r0\.m0\.h0\.i0/],
  ["stepi", /0x0*80200/],
  ["reverse-continue", /No more reverse-execution history/],
  ["monitor seek end", /position\s+r\d+/],
  ["continue", /No more reverse-execution history/],
  ["monitor seek r999999999.m0.h0.i0", /does not reach/],
]

const server = spawn(process.execPath, [program, "gdb", world, "--listen", "127.0.0.1:0", "--once"], {
  stdio: ["ignore", "pipe", "inherit"],
})
const port = await new Promise<string>((resolve, reject) => {
  createInterface(server.stdout).on("line", line => {
    const found = /Listening on 127\.0\.0\.1:(\d+)/.exec(line)
    if (found) resolve(found[1]!)
  })
  server.on("exit", code => reject(new Error(`the server ended with ${code}`)))
})

const MARK = "@@ answered @@"
const typed = session.flatMap(([command]) => ["-ex", command, "-ex", `echo \\n${MARK}\\n`])
const before = ["set pagination off", "set confirm off", "set width 0", `target remote 127.0.0.1:${port}`]
const gdb = spawnSync(
  "gdb-multiarch",
  ["-nx", "-q", "-batch", ...before.flatMap(command => ["-ex", command]), "-ex", `echo \\n${MARK}\\n`, ...typed],
  { encoding: "utf8", timeout: 240_000, input: "" },
)
server.kill("SIGTERM")
// Errors go to the other stream: there they stand in order, but not between the answers.
const [, ...answers] = gdb.stdout.split(MARK)
let wrong = 0
for (const [order, [command, expected]] of session.entries()) {
  const answer = (answers[order] ?? "").trim()
  const isRight = expected.test(answer) || expected.test(gdb.stderr)
  process.stdout.write(`${isRight ? "ok   " : "WRONG"} (gdb) ${command}\n`)
  for (const line of answer.split("\n").filter(Boolean)) process.stdout.write(`           ${line}\n`)
  if (!isRight) wrong++
}
if (gdb.stderr.trim() !== "") process.stdout.write(`on standard error:\n${gdb.stderr}`)
process.stdout.write(`${session.length - wrong} of ${session.length} answers as they have to be\n`)
process.exit(wrong === 0 ? 0 : 1)
