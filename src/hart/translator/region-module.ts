/** Regions as a WebAssembly module beside the hart's, which shares its memory and calls its functions. */
import { type FunctionRef, ModuleBuilder } from "../../wasm/index.ts"
import type { FloatLibrary } from "../float/index.ts"
import { RAM } from "../layout.ts"
import { regionHelpers, regionType } from "../regions.ts"
import type { Region } from "./control-flow.ts"
import { floatFunctions } from "./control-kind.ts"
import { writeRegion } from "./region-function.ts"

/** The hart module's exports by name, with their types. */
export type HelperTypes = ReadonlyMap<string, FunctionRef["type"]>

/** The name a region's function is exported under. */
export const regionName = (position: number): string => `region${position}`

/** The floating-point functions a region calls. */
const floatsOf = ({ blocks }: Region): readonly string[] =>
  [...blocks.values()].flatMap(block => block.instructions.flatMap(({ instruction }) => floatFunctions(instruction)))

/** The bytes of a module that exports these regions in order. */
export const buildRegionModule = (regions: readonly Region[], types: HelperTypes): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder()
  module.importMemory("host", "memory", RAM / 0x10000)
  const names = new Set<string>([...regionHelpers, ...regions.flatMap(floatsOf)])
  const imported = new Map([...names].map(name => [name, module.importFunction("hart", name, types.get(name)!)]))
  const helper = (name: string) => imported.get(name)!
  for (const [position, region] of regions.entries())
    module.function(
      regionName(position),
      regionType,
      f =>
        writeRegion(f, region, {
          findLoad: helper("findLoad"),
          findStore: helper("findStore"),
          goOn: helper("goOn"),
          float: (name: keyof FloatLibrary) => helper(name),
        }),
      { exported: true },
    )
  return module.encode()
}
