import { randomBytes } from "node:crypto"
import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import { BlobNotFound, WorldStore } from "../../src/events/index.ts"
import { genesis, run, withPath } from "./fixture.ts"

describe("contents", () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 300_001])("of %i bytes come back, however they were cut", size =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).create(path, genesis)
          const content = new Uint8Array(size).map((_, index) => (index >> 8) * 7 + index)
          const cut = Math.floor(size / 3)
          const stored = yield* world.putBlob(Stream.make(content.subarray(0, cut), content.subarray(cut)))
          expect(stored.bytes).toBe(size)
          expect(yield* world.putBlob(Stream.make(content))).toEqual(stored)
          expect(yield* world.blobSize(stored.hash)).toBe(size)
          expect(Buffer.compare(yield* world.readBlob(stored.hash), content)).toBe(0)
          expect((yield* world.sql("select * from blobs")).rows).toEqual([[stored.hash, size]])
          yield* world.verifyContents
        }),
      ),
    ),
  )

  test("zero pieces take no room", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).create(path, genesis)
          const zeros = new Uint8Array(1 << 20)
          const pieces = Array.from({ length: 64 }, () => zeros)
          const stored = yield* world.putBlob(Stream.fromIterable([...pieces, randomBytes(10)]))
          expect(stored.bytes).toBe((64 << 20) + 10)
          expect((yield* world.sql("select count(*) from blob_chunk")).rows).toEqual([[1]])
          expect((yield* world.readBlob(stored.hash)).length).toBe(stored.bytes)
        }),
      ),
    ))

  test("that are not there are an error; those given up leave nothing", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).create(path, genesis)
          expect(yield* Effect.flip(world.readBlob("00".repeat(32)))).toBeInstanceOf(BlobNotFound)
          const broken = Stream.concat(Stream.make(randomBytes(200_000)), Stream.fail("broken pipe"))
          expect(yield* Effect.flip(world.putBlob(broken))).toBe("broken pipe")
          expect(
            (yield* world.sql("select (select count(*) from blob), (select count(*) from blob_chunk)")).rows,
          ).toEqual([[0, 0]])
        }),
      ),
    ))
})
