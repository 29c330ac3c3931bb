// How names are shown: the same cases as in Python (`tests/learning/test_names.py`), which also compares the tables.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { shownName } from "../../../web/lib/shown_name.mjs";

const cases = JSON.parse(readFileSync(new URL("../../shown_names.json", import.meta.url), "utf8"));

test("what nobody sees in a name is spelled out", () => {
  for (const [name, shown] of Object.entries(cases)) assert.equal(shownName(name), shown, JSON.stringify(name));
});

test("every character that Unicode calls ignorable is spelled out", () => {
  for (let point = 0; point <= 0x10ffff; point++) {
    const letter = String.fromCodePoint(point);
    if (!/\p{Default_Ignorable_Code_Point}|\p{Cc}|\p{Cs}|\p{Bidi_Control}/u.test(letter)) continue;
    assert.equal(shownName(`a${letter}b`), `a[U+${point.toString(16).toUpperCase().padStart(4, "0")}]b`);
  }
});
