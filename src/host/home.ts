/** Where worlds and images live on this computer (XDG Base Directory Specification 0.8, XDG_DATA_HOME). */
import { homedir } from "node:os"
import { isAbsolute, join, resolve } from "node:path"

/**
 * The absolute path of the home directory of worlds and images: `--home` if given, else CHRONOVISOR_HOME, else `chronovisor` in
 * XDG_DATA_HOME, else `~/.local/share/chronovisor`. Empty values count as not given; so does a relative XDG_DATA_HOME, as its
 * specification demands.
 */
export function resolveHome(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  userHome: string = homedir(),
): string {
  if (option) return resolve(option)
  if (environment.CHRONOVISOR_HOME) return resolve(environment.CHRONOVISOR_HOME)
  const dataHome = environment.XDG_DATA_HOME
  return join(dataHome && isAbsolute(dataHome) ? dataHome : join(userHome, ".local", "share"), "chronovisor")
}
