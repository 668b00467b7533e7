// The device tree of a board and its flattened form.

export { type BoardSpec, boardDeviceTree, type PlacedDevice } from "./board-device-tree.ts"
export { encodeDeviceTree } from "./device-tree-blob.ts"
