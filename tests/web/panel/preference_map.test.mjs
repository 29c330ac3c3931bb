// The map of preferences: words with their phrases, and a mark for each pair.

import assert from "node:assert/strict";
import { test } from "node:test";

import { mapOf, markOf } from "../../../web/panel/preference_map.mjs";

const pair = (keyword, checkpoint, selected, total) => ({ keyword, checkpoint, selected, total });

test("a phrase stands under the better known of its words and does not repeat it", () => {
  const { words } = mapOf([
    pair("shading", "a", 1, 3),
    pair("cel shading", "a", 1, 3),
    pair("cel", "a", 1, 3),
    pair("anime", "a", 5, 9),
    pair("anime girl", "a", 2, 2),
    pair("girl", "b", 2, 4),
    pair("old anime", "a", 1, 1),
  ]);
  const shown = words.map((rows) => rows.map(({ label, isPhrase }) => (isPhrase ? `> ${label}` : label)));
  assert.deepEqual(shown, [["anime", "> … girl", "> old …"], ["girl"], ["shading"], ["cel", "> … shading"]]);
});

test("a phrase without any of its words stands alone, and negative words are apart", () => {
  const { words } = mapOf([
    pair("rim light", "a", 1, 1),
    pair("-low quality", "a", 1, 2),
    pair("-quality", "a", 1, 3),
    pair("quality", "a", 1, 4),
  ]);
  assert.deepEqual(
    words.map((rows) => rows.map(({ label }) => label)),
    [["quality"], ["-quality", "low …"], ["rim light"]],
  );
});

test("checkpoints and words are ordered by how much is known, and every pair has its cell", () => {
  const pairs = [pair("sea", "a", 1, 2), pair("sea", "b", 0, 5), pair("sky", "b", 2, 9)];
  const { checkpoints, words } = mapOf(pairs);
  assert.deepEqual(checkpoints, ["b", "a"]);
  assert.deepEqual(
    words.flat().map(({ keyword }) => keyword),
    ["sky", "sea"],
  );
  for (const one of pairs) {
    const row = words.flat().find(({ keyword }) => keyword === one.keyword);
    assert.equal(row.cells.get(one.checkpoint), one);
  }
});

test("a mark says which side of half, how far, and how much is known", () => {
  assert.deepEqual(markOf(pair("", "", 4, 4)), { liking: "liked", lean: 1, known: 0.5 });
  assert.deepEqual(markOf(pair("", "", 0, 12)), { liking: "disliked", lean: 1, known: 0.75 });
  assert.equal(markOf(pair("", "", 2, 4)).lean, 0);
  assert.equal(markOf(pair("", "", 0, 0)).known, 0);
});
