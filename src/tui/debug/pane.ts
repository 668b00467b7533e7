/** The parts of the debugger's screen that can be looked at, with the key that each is chosen by. */

export const panes = [
  { name: "code", key: "1", title: "code" },
  { name: "registers", key: "2", title: "registers" },
  { name: "csrs", key: "3", title: "control and status registers" },
  { name: "memory", key: "4", title: "memory" },
  { name: "stack", key: "5", title: "stack" },
  { name: "pages", key: "6", title: "page table" },
  { name: "events", key: "7", title: "events" },
  { name: "console", key: "8", title: "console" },
  { name: "harts", key: "9", title: "harts" },
  { name: "stops", key: "0", title: "stop points" },
] as const

export type PaneName = (typeof panes)[number]["name"]
export type Pane = (typeof panes)[number]

export const paneNames: readonly PaneName[] = panes.map(({ name }) => name)

export const paneNamed = (name: PaneName): Pane => panes.find(pane => pane.name === name)!

/** The pane so many places further on, around the end. */
export const paneAfter = (name: PaneName, by: number): PaneName =>
  paneNames[(paneNames.indexOf(name) + by + paneNames.length) % paneNames.length]!
