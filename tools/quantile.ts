/** Times as they are told. */

/** The least value that so great a part of all does not exceed; 0.5: the median. */
export const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * part) - 1)]!

export const ms = (seconds: number): string => `${(seconds * 1000).toFixed(0)} ms`
