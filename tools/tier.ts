/** Which tier the tools' machines run on, from the environment: TIER=interpreter, translator, or a number that thresholds are drawn by. */
import { policyNamed, type TranslationPolicy } from "../src/hart/translator/policy.ts"

export const tierFromEnvironment = (): TranslationPolicy | null => {
  const { TIER = "auto" } = process.env
  const policy = policyNamed(TIER)
  if (policy === undefined) throw new Error(`TIER=${TIER} names no tier; give interpreter, translator or a number`)
  return policy
}
