/** Times as they are told. */

/** The value that so great a part of the others does not exceed; 0.5: the median. */
export const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!

export const ms = (seconds: number): string => `${(seconds * 1000).toFixed(0)} ms`
