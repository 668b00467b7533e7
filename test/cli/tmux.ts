/** A terminal of its own, in tmux, for tests of what people see. */
import { execFileSync, spawnSync } from "node:child_process"
import { expect } from "vitest"

export const hasTmux = spawnSync("tmux", ["-V"]).status === 0

export class Tmux {
  private readonly path: string
  /** A server that ends may still hold its socket when the next one begins: each has its own. */
  private servers = 0

  /** `path` is the beginning of paths that nothing else uses. */
  constructor(path: string) {
    this.path = path
  }

  private get socket(): string {
    return `${this.path}.${this.servers}`
  }

  private run(...args: readonly string[]): string {
    return execFileSync("tmux", ["-S", this.socket, "-f", "/dev/null", ...args], { encoding: "utf8" })
  }

  /** Begins anew, with a command of the shell. */
  start(command: string, columns: number, rows: number): void {
    this.stop()
    this.servers++
    this.run("new-session", "-d", "-s", "live", "-x", String(columns), "-y", String(rows), command)
  }

  stop(): void {
    if (this.servers > 0) spawnSync("tmux", ["-S", this.socket, "kill-server"])
  }

  resize(columns: number, rows: number): void {
    this.run("resize-window", "-t", "live", "-x", String(columns), "-y", String(rows))
  }

  /** What is seen; lines that the terminal broke are joined. */
  get screen(): string {
    return this.run("capture-pane", "-p", "-J", "-t", "live")
  }

  /** What is seen, row by row. */
  get rows(): readonly string[] {
    return this.run("capture-pane", "-p", "-t", "live").replace(/\n$/, "").split("\n")
  }

  /** Whether the alternate screen is shown, and the cursor. */
  get modes(): { readonly isAlternate: boolean; readonly hasCursor: boolean } {
    const [alternate, cursor] = this.run("display-message", "-p", "-t", "live", "#{alternate_on} #{cursor_flag}").split(
      " ",
    )
    return { isAlternate: alternate === "1", hasCursor: cursor!.trim() === "1" }
  }

  /** Presses keys by tmux's names for them, or types texts. */
  type(...keys: readonly string[]): void {
    this.run("send-keys", "-t", "live", ...keys)
  }

  /** Types a text as it is. */
  write(text: string): void {
    this.run("send-keys", "-t", "live", "-l", text)
  }

  /** Waits until what is looked for is seen. */
  async shows(pattern: RegExp, seconds = 15): Promise<void> {
    for (let tries = 0; tries < seconds * 10; tries++) {
      if (pattern.test(this.screen)) return
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(this.screen).toMatch(pattern)
  }
}
