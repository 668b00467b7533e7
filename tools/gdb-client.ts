/** The stock gdb-multiarch at a world's history, asked one command after the other, as somebody types them. */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { program, secondsSince } from "./cv.ts"

export interface Answer {
  /** All that gdb printed, complaints too. */
  readonly text: string
  readonly seconds: number
}

export interface GdbClient {
  readonly ask: (command: string) => Promise<Answer>
  readonly close: () => void
}

const MARK = "@@ answered @@"
const SETTINGS = ["pagination off", "confirm off", "width 0", "prompt"]

/** Where a server listens that has just been started. */
const placeOf = (server: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    createInterface(server.stdout!).on("line", line => {
      const found = /Listening on (\S+);/.exec(line)
      if (found) resolve(found[1]!)
    })
    server.on("exit", code => reject(new Error(`cv gdb ended with ${code}`)))
  })

/** Asks a gdb that reads commands from a pipe. */
const askerOf = (gdb: ChildProcess): GdbClient["ask"] => {
  let text = ""
  let settle: { readonly answered: () => void; readonly failed: (cause: Error) => void } | null = null
  createInterface(gdb.stdout!).on("line", line => {
    if (line.includes(MARK)) settle?.answered()
    else text += `${line}\n`
  })
  gdb.on("exit", code => settle?.failed(new Error(`gdb ended with ${code}: ${text}`)))
  return async command => {
    text = ""
    const begin = process.hrtime.bigint()
    await new Promise<void>((answered, failed) => {
      settle = { answered, failed }
      gdb.stdin!.write(`${command}\necho \\n${MARK}\\n\n`)
    })
    return { text: text.trim(), seconds: secondsSince(begin) }
  }
}

/** Starts `cv gdb` for a world, and a gdb that is connected to it. */
export const openGdb = async (world: string): Promise<GdbClient> => {
  const server = spawn(process.execPath, [program, "gdb", world, "--listen", "127.0.0.1:0", "--once"], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const place = await placeOf(server)
  // By one pipe, so that what gdb complains of stands before the mark.
  const gdb = spawn("sh", ["-c", "exec gdb-multiarch -nx -q 2>&1"], { stdio: ["pipe", "pipe", "inherit"] })
  const close = () => {
    gdb.kill()
    server.kill()
  }
  gdb.stdin.on("error", close)
  const ask = askerOf(gdb)
  try {
    for (const setting of SETTINGS) await ask(`set ${setting}`)
    await ask(`target remote ${place}`)
  } catch (cause) {
    close()
    throw cause
  }
  return { ask, close }
}
