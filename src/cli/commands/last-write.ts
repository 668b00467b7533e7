/** `cv last-write`: who wrote this last? */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Finding } from "../../debugger/search/question.ts"
import {
  debugWorld,
  describeFinding,
  hexOf,
  physicalOf,
  positionWritten,
  searchBar,
  searchersOf,
  symbolsFlag,
} from "../debugging.ts"
import { worldStore } from "../engine.ts"
import { Ended } from "../failure.ts"
import { remark, writeJson, writeLine } from "../output.ts"
import { looksLikePosition, parsePositionText } from "../replaying.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

const BYTES_MAX = 1 << 20
/** Of more bytes it is said how many they are. */
const SHOWN_BYTES_MAX = 16

/** What was written: values, and where in what was looked at they lie if that is not all of it. */
const describeChange = ({ was, is, part }: Finding, bytes: number): string => {
  const place = part === null || part.bytes === bytes ? "" : `+0x${part.offset.toString(16)}: `
  return part !== null && part.bytes > SHOWN_BYTES_MAX
    ? `${place}${part.bytes} bytes`
    : `${place}${hexOf(was)} -> ${hexOf(is)}`
}

export const lastWrite = Command.make(
  "last-write",
  {
    world: worldArgument,
    address: Argument.String("address").pipe(
      Argument.withMetavar("ADDRESS"),
      Argument.withDescription("A symbol, symbol+offset, number, or phys:NUMBER"),
    ),
    before: Flag.String("before").pipe(
      Flag.withMetavar("POS"),
      Flag.withDescription(
        "The last write before this position, or virtual time such as 1.5s (default: before the end of the history)",
      ),
      Flag.optional,
    ),
    bytes: Flag.Int("bytes").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(
        "How many bytes to look at (default: the symbol's size as far as it is known and at most 8, else 8)",
      ),
      Flag.filter(
        bytes => bytes >= 1 && bytes <= BYTES_MAX,
        () => `a number of bytes from 1 to ${BYTES_MAX}`,
      ),
      Flag.optional,
    ),
    symbols: symbolsFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const position =
      Option.isSome(flags.before) && looksLikePosition(flags.before.value)
        ? yield* parsePositionText(flags.before.value)
        : null
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { AddressNotMemory, AddressUnmapped, parseAddress, ramOf, search } = yield* Effect.promise(
          () => import("../../debugger/index.ts"),
        )
        const { formatPosition, requireWithin } = yield* Effect.promise(() => import("../../debugger/positions.ts"))
        // They open the world meanwhile.
        const searchers = yield* searchersOf(path)
        const debug = yield* debugWorld(path, flags.symbols, false)
        const { end } = debug.timeline
        const { progress } = yield* searchBar(path)
        const before =
          position === null && Option.isSome(flags.before)
            ? yield* positionWritten(debug, flags.before.value, { progress })
            : position
        if (before !== null) yield* requireWithin(debug.world, before, end)
        const written = yield* parseAddress(flags.address, debug.symbols)
        let physical = physicalOf(debug, written)
        // What nothing maps at the beginning may be mapped at the end.
        if (physical === null) {
          yield* debug.goTo(before ?? end, { progress })
          physical = physicalOf(debug, written)
        }
        if (physical === null)
          return yield* new AddressUnmapped({ text: flags.address, position: formatPosition(debug.position) })
        const bytes = Option.getOrElse(flags.bytes, () => Math.min(8, written.symbolBytes ?? 8))
        const ram = ramOf(debug)
        if (physical < ram.first || physical + BigInt(bytes) - 1n > ram.last)
          return yield* new AddressNotMemory({ text: flags.address, first: hexOf(ram.first), last: hexOf(ram.last) })
        const linux = debug.linux?.linux?.facts ?? null
        const place = { kind: "watchpoint", space: "physical", address: physical, bytes, access: "write" } as const
        const [finding] =
          (yield* search(
            debug,
            { places: [place], predicate: null, prints: [], wanted: { keep: "last" }, scene: { linux } },
            { from: debug.timeline.begin, to: before ?? end },
            searchers,
            { progress },
          )) ?? []
        if (finding === undefined) {
          if (flags.json) yield* writeJson(null)
          else
            yield* remark(
              `cv: Nothing wrote to ${flags.address} in ${worldNameOf(path)} before ${formatPosition(before ?? end)}.`,
            )
          return yield* new Ended({ code: 1 })
        }
        const found = yield* describeFinding(debug, finding)
        if (flags.json)
          return yield* writeJson({
            address: hexOf(written.address),
            physical: hexOf(physical),
            bytes,
            ...found,
            part: finding.part,
          })
        const who = found.task === null ? "" : `, task ${found.task.pid} (${found.task.comm})`
        yield* writeLine(
          `${found.position}  ${found.time}  hart ${found.hart}  ${found.place}  ${found.instruction}  ${describeChange(finding, bytes)}${who}`,
        )
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Find the instruction that wrote to an address last"),
  Command.withDescription(
    "Finds the last instruction that wrote to an address, whether or not the value changed, and prints where it stands, the value before and after, and on whose behalf it ran. The position is the one before the instruction: go there with cv debug W --at POS. Exit code 1: nothing ever wrote there.",
  ),
  Command.withExamples([
    { command: "cv last-write debian jiffies" },
    { command: "cv last-write debian 0xffffffff81a03e40 --bytes 4 --before r1204.m0.h1.i123456789" },
  ]),
)
