/** Numbers of a machine as people read them. */

/** Sixteen hexadecimal digits. */
export const hex16 = (value: bigint): string => value.toString(16).padStart(16, "0")

/** `0x80000000`. */
export const hex = (value: bigint | number): string => `0x${value.toString(16)}`

/** Virtual nanoseconds to the last one: `1.234567890 s`. */
export const exactSeconds = (ns: number): string => {
  const whole = Math.floor(ns / 1e9)
  return `${whole}.${String(Math.floor(ns - whole * 1e9)).padStart(9, "0")} s`
}

/** A share of the whole: `43.2 %`; 100 only for all of it. */
export const percent = (share: number): string => {
  const tenths = Math.round(share * 1000)
  return `${((share < 1 && tenths === 1000 ? 999 : tenths) / 10).toFixed(1)} %`
}

/** Names of privilege modes, by their number. */
export const modeName = (privilege: bigint | number): string =>
  ["user", "supervisor", "hypervisor", "machine"][Number(privilege)] ?? String(privilege)
