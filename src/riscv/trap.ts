/** Exception and interrupt codes. RISC-V privileged ISA, section 3.1.15, table "mcause values after trap". */
export const cause = {
  instructionMisaligned: 0,
  instructionAccessFault: 1,
  illegalInstruction: 2,
  breakpoint: 3,
  loadMisaligned: 4,
  loadAccessFault: 5,
  storeMisaligned: 6,
  storeAccessFault: 7,
  ecallFromU: 8,
  ecallFromS: 9,
  ecallFromM: 11,
  instructionPageFault: 12,
  loadPageFault: 13,
  storePageFault: 15,
} as const

export type Cause = (typeof cause)[keyof typeof cause]

export const interrupt = {
  supervisorSoftware: 1,
  machineSoftware: 3,
  supervisorTimer: 5,
  machineTimer: 7,
  supervisorExternal: 9,
  machineExternal: 11,
} as const

/** A sentence-ready name for a cause, for reports and the event list. */
export const causeName = (code: number, isInterrupt: boolean): string => {
  const names = isInterrupt ? interrupt : cause
  const found = Object.entries(names).find(([, value]) => value === code)
  return (found?.[0] ?? `cause${code}`).replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
}
