/** Flags of every command. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { resolveHome } from "../host/home.ts"

/** `--home DIR`. */
export const Home = GlobalFlag.Setting("home")({
  flag: Flag.String("home").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription(
      "Where worlds and images live (default: $CHRONOVISOR_HOME, or chronovisor in the XDG data directory)",
    ),
    Flag.optional,
  ),
})

/** `--tier TIER`: for who measures, or doubts. */
export const Tier = GlobalFlag.Setting("tier")({
  flag: Flag.String("tier").pipe(
    Flag.withMetavar("TIER"),
    Flag.withDescription(
      "Who executes instructions: auto, interpreter, translator, or a number to draw thresholds by; histories are the same",
    ),
    Flag.withDefault("auto"),
  ),
})

/** The absolute path of the home directory. */
export const home = Effect.map(Home, option => resolveHome(Option.getOrUndefined(option)))

/** `--json`, in the commands that have a result. */
export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print the result as one JSON document on standard output"),
  Flag.withDefault(false),
)
