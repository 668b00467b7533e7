/** Where the process of a leg begins: see `leg.ts`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { WorldStore } from "../events/index.ts"
import { serveSibling } from "../host/sibling-process.ts"
import { type LegMessage, type LegRequest, runLeg } from "./leg.ts"

serveSibling<LegRequest, LegMessage>((request, say) =>
  Effect.provide(runLeg(request, say), Layer.merge(WorldStore.layer, NodeServices.layer)),
)
