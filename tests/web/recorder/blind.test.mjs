// Judging blind: a stable order that reveals nothing, and names that are shown after the verdict.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nameIsShown, shuffled } from "../../../web/recorder/blind.mjs";

const items = [0, 1, 2, 3, 4, 5];

test("a reload shows the same order, another generation another one", () => {
  assert.deepEqual(shuffled(items, "one"), shuffled(items, "one"));
  assert.notDeepEqual(shuffled(items, "one"), shuffled(items, "two"));
});

test("nothing is lost, and the given list stays as it is", () => {
  assert.deepEqual(shuffled(items, "one").sort(), items);
  assert.deepEqual(items, [0, 1, 2, 3, 4, 5]);
});

test("over many generations each image comes first about equally often", () => {
  const first = Array(3).fill(0);
  for (let seed = 0; seed < 3000; seed += 1) first[shuffled([0, 1, 2], `generation ${seed}`)[0]] += 1;
  for (const times of first) assert.ok(times > 850 && times < 1150, String(first));
});

test("a name is shown once its image is judged", () => {
  assert.equal(nameIsShown({ verdict: null }, true), false);
  assert.equal(nameIsShown({ verdict: "rejected" }, true), true);
  assert.equal(nameIsShown({ verdict: null }, false), true);
});
