/** What of a text may reach a terminal. */

/** C0 and C1 controls, DEL, and the characters that turn the direction of others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
const acting = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The text with every character that would act on a terminal made into one that is only seen. */
export const visible = (text: string): string => text.replace(acting, "\ufffd")

/** The text without them. */
export const visibleOnly = (text: string): string => text.replace(acting, "")
