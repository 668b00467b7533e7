import { expect, test } from "vitest"
import { textWithCaret } from "../../../src/debugger/predicate/caret.ts"

test.each([
  ["abc", 0, "abc\n^"],
  ["abc", 2, "abc\n  ^"],
  ["abc", 3, "abc\n   ^"],
  ["", 0, "\n^"],
  ["\ta\tb", 3, "\ta\tb\n\t \t^"],
  ["漢字x", 2, "漢字x\n    ^"],
  ["한글 x", 3, "한글 x\n     ^"],
  ["ｆx", 1, "ｆx\n  ^"],
  ["😀x", 2, "😀x\n  ^"],
  ["❤️x", 2, "❤️x\n  ^"],
  ["👩‍👩‍👧x", 8, "👩‍👩‍👧x\n  ^"],
  ["e\u0301x", 2, "e\u0301x\n ^"],
  ["a\u200bx", 2, "a\u200bx\n ^"],
  ["one\ntwo\nthree", 5, "two\n ^"],
  ["one\ntwo", 3, "one\n   ^"],
  ["one\ntwo", 4, "two\n^"],
  ["\nx", 0, "\n^"],
  ["a\u001b[31mb", 6, "a\ufffd[31mb\n      ^"],
])("%j at %i", (text, offset, shown) => expect(textWithCaret(text, offset)).toBe(shown))
