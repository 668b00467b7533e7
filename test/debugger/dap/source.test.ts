import { expect, test } from "vitest"
import { SourcePaths } from "../../../src/debugger/dap/source.ts"

test("source files are where this computer has them", () => {
  const paths = new SourcePaths("/opt/project", { "/build/linux": "/src/linux", "guests/": "other/guests/" })
  expect(paths.sourceOf("/opt/lib/a.c")).toEqual({ name: "a.c", path: "/opt/lib/a.c" })
  expect(paths.sourceOf("/build/linux/kernel/fork.c")).toEqual({ name: "fork.c", path: "/src/linux/kernel/fork.c" })
  expect(paths.sourceOf("src/b.c")).toEqual({ name: "b.c", path: "/opt/project/src/b.c" })
  expect(paths.sourceOf("guests/c.c")).toEqual({ name: "c.c", path: "/opt/project/other/guests/c.c" })
})
