/** A row of bars, one a column. */

const bars = " ▁▂▃▄▅▆▇█"

/** Bars for values of any size: what is there is seen, and large differences fit (heights go by the logarithm). */
export const chart = (values: readonly number[]): string => {
  const most = Math.log1p(Math.max(0, ...values))
  return values
    .map(value => {
      if (value <= 0) return bars[0]
      return bars[Math.max(1, Math.round((Math.log1p(value) / most) * (bars.length - 1)))]
    })
    .join("")
}
