// What a reload can show again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_REMEMBERED, RememberedRounds } from "../../web/remembered_rounds.mjs";

/** A `Storage` over a Map, as browsers have it. */
function storage(initial = {}) {
  const held = new Map(Object.entries(initial));
  return { held, getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
}

test("the last round of each place is recalled", () => {
  const shelf = storage();
  new RememberedRounds(shelf).remember("w/1", ["a"]);
  new RememberedRounds(shelf).remember("w/1", ["b"]);
  new RememberedRounds(shelf).remember("w/2", ["c"]);
  assert.deepEqual(new RememberedRounds(shelf).recall("w/1"), ["b"]);
  assert.deepEqual(new RememberedRounds(shelf).recall("w/3"), []);
});

test("the oldest place is forgotten first", () => {
  const rounds = new RememberedRounds(storage());
  for (let place = 0; place < MOST_REMEMBERED; place++) rounds.remember(`w/${place}`, ["x"]);
  rounds.remember("w/0", ["again"]);
  rounds.remember("w/new", ["y"]);
  assert.deepEqual(rounds.recall("w/1"), []);
  assert.deepEqual(rounds.recall("w/0"), ["again"]);
});

test("spoilt or forbidden storage only means that nothing is recalled", () => {
  assert.deepEqual(new RememberedRounds(storage({ "context_checkpoint.rounds": "[1" })).recall("w/1"), []);
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error("QuotaExceededError");
    },
  };
  new RememberedRounds(full).remember("w/1", ["a"]);
  assert.deepEqual(new RememberedRounds(full).recall("w/1"), []);
});
