import { expect, it } from "vitest"
import {
  CODE_PAGE_INFO,
  LINE_BYTES,
  LINE_WRITTEN,
  PAGE_BYTES,
  PAGE_CODE,
  PAGE_DIRTY,
  RAM,
  RAM_BYTES_MAX,
  RAM_PAGES_MAX,
  ROM,
  ROM_PAGES,
} from "../../src/hart/layout.ts"

it("has room in every table for the most RAM there can be", () => {
  const pages = RAM_BYTES_MAX / PAGE_BYTES
  expect(RAM + RAM_BYTES_MAX).toBeLessThanOrEqual(2 ** 32)
  // Pages of the boot ROM are numbered after the most RAM.
  expect(pages).toBeLessThanOrEqual(RAM_PAGES_MAX)
  expect(PAGE_CODE + 4 * (RAM_PAGES_MAX + ROM_PAGES)).toBeLessThanOrEqual(PAGE_DIRTY)
  expect(PAGE_DIRTY + RAM_PAGES_MAX).toBeLessThanOrEqual(CODE_PAGE_INFO)
  expect(LINE_WRITTEN + (RAM + RAM_BYTES_MAX) / LINE_BYTES).toBeLessThanOrEqual(ROM)
})
