// What a reload can show again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_REMEMBERED, Remembered } from "../../../web/comfy/remembered.mjs";

/** A `Storage` over a Map, as browsers have it. */
function storage(initial = {}) {
  const held = new Map(Object.entries(initial));
  return { held, getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
}

test("what a place showed last is recalled, and nothing of other kinds", () => {
  const shelf = storage();
  new Remembered(shelf, "rounds").remember("w/1", ["a"]);
  new Remembered(shelf, "rounds").remember("w/1", ["b"]);
  new Remembered(shelf, "rounds").remember("w/2", ["c"]);
  assert.deepEqual(new Remembered(shelf, "rounds").recall("w/1"), ["b"]);
  assert.deepEqual(new Remembered(shelf, "rounds").recall("w/3"), []);
  assert.deepEqual(new Remembered(shelf, "plans").recall("w/1"), []);
});

test("the oldest place is forgotten first", () => {
  const rounds = new Remembered(storage(), "rounds");
  for (let place = 0; place < MOST_REMEMBERED; place++) rounds.remember(`w/${place}`, ["x"]);
  rounds.remember("w/0", ["again"]);
  rounds.remember("w/new", ["y"]);
  assert.deepEqual(rounds.recall("w/1"), []);
  assert.deepEqual(rounds.recall("w/0"), ["again"]);
});

test("spoilt or forbidden storage only means that nothing is recalled", () => {
  assert.deepEqual(new Remembered(storage({ "context_checkpoint.rounds": "[1" }), "rounds").recall("w/1"), []);
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error("QuotaExceededError");
    },
  };
  new Remembered(full, "rounds").remember("w/1", ["a"]);
  assert.deepEqual(new Remembered(full, "rounds").recall("w/1"), []);
});
