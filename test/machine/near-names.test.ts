import { expect, test } from "vitest"
import { nearNames } from "../../src/machine/near-names.ts"

test("swapped, missing and wrong letters and beginnings are near, other names are not", () => {
  const names = ["debian", "debian-13", "alpine", "fedora"]
  expect(nearNames("debain", names)).toEqual(["debian"])
  expect(nearNames("deb", names)).toEqual(["debian", "debian-13"])
  expect(nearNames("alpne", names)).toEqual(["alpine"])
  expect(nearNames("freebsd", names)).toEqual([])
})
