import { resolve } from "node:path"
import { expect, test } from "vitest"
import { resolveHome } from "../../src/host/home.ts"

test("the option wins, then CHRONOVISOR_HOME, then XDG_DATA_HOME, then the user's home", () => {
  const environment = { CHRONOVISOR_HOME: "/c", XDG_DATA_HOME: "/x" }
  expect(resolveHome("/o", environment, "/u")).toBe("/o")
  expect(resolveHome("o", environment, "/u")).toBe(resolve("o"))
  expect(resolveHome(undefined, environment, "/u")).toBe("/c")
  expect(resolveHome(undefined, { XDG_DATA_HOME: "/x" }, "/u")).toBe("/x/chronovisor")
  expect(resolveHome(undefined, {}, "/u")).toBe("/u/.local/share/chronovisor")
})

test("empty values and a relative XDG_DATA_HOME count as not given", () => {
  expect(resolveHome("", { CHRONOVISOR_HOME: "", XDG_DATA_HOME: "" }, "/u")).toBe("/u/.local/share/chronovisor")
  expect(resolveHome(undefined, { XDG_DATA_HOME: "data" }, "/u")).toBe("/u/.local/share/chronovisor")
})
