/** Whether views use colour and other styles. */
import { createContext } from "react"

export const ColorContext = createContext(true)

/** What the environment asks for: a NO_COLOR that is not empty means none (no-color.org). */
export const wantsColor = (environment: Readonly<Record<string, string | undefined>>): boolean => !environment.NO_COLOR
