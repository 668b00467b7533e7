/** Calls `read` when its value is asked for first, and never again. */
export const once = <A>(read: () => A): (() => A) => {
  let known: { readonly value: A } | null = null
  return () => {
    known ??= { value: read() }
    return known.value
  }
}
