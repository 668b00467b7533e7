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

/** The least memory, in pages of 64 KiB, that a region's module takes. */
export const REGION_MEMORY_PAGES = RAM / 0x10000

/** The name that the function of a module's n-th region is exported under. */
export const regionName = (position: number): string => `region${position}`

/** The floating-point functions a region calls. */
const floatsOf = ({ blocks }: Region): readonly string[] =>
  [...blocks.values()].flatMap(block => block.instructions.flatMap(({ instruction }) => floatFunctions(instruction)))

/** The bytes of a module that exports the regions' functions. */
export const buildRegionModule = (
  regions: readonly { readonly region: Region; readonly physicalRam: number | null }[],
  types: HelperTypes,
): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder()
  module.importMemory("host", "memory", REGION_MEMORY_PAGES)
  const names = new Set<string>([...regionHelpers, ...regions.flatMap(({ region }) => floatsOf(region))])
  const imported = new Map([...names].map(name => [name, module.importFunction("hart", name, types.get(name)!)]))
  const helper = (name: string) => imported.get(name)!
  const helpers = {
    findLoad: helper("findLoad"),
    findStore: helper("findStore"),
    goOn: helper("goOn"),
    regions: module.importTable("host", "regions"),
    regionType: module.functionType(regionType),
    float: (name: keyof FloatLibrary) => helper(name),
  }
  for (const [position, { region, physicalRam }] of regions.entries())
    module.function(regionName(position), regionType, f => writeRegion(f, region, helpers, physicalRam), {
      exported: true,
    })
  return module.encode()
}
