// The values that component state is made of. state-codec.ts turns them into canonical bytes.

/** Numbers are integers of magnitude at most 2^53; records have no `undefined` fields. */
export type StateValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly StateValue[]
  | { readonly [field: string]: StateValue }

export type StateRecord = { readonly [field: string]: StateValue }
