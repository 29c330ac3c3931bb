// What a node displayed is shown again after a reload.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CAPACITY, DisplayStorage } from "../../../web/comfy/display_storage.mjs";

/** A `Storage` over a Map, as browsers have it. */
function storage(initial = {}) {
  const values = new Map(Object.entries(initial));
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value) };
}

test("what a node displayed last is loaded, and nothing of other kinds", () => {
  const browser = storage();
  new DisplayStorage(browser, "generations").save("w/1", ["a"]);
  new DisplayStorage(browser, "generations").save("w/1", ["b"]);
  new DisplayStorage(browser, "generations").save("w/2", ["c"]);
  assert.deepEqual(new DisplayStorage(browser, "generations").load("w/1"), ["b"]);
  assert.deepEqual(new DisplayStorage(browser, "generations").load("w/3"), []);
  assert.deepEqual(new DisplayStorage(browser, "plans").load("w/1"), []);
});

test("the oldest entry is dropped first", () => {
  const stored = new DisplayStorage(storage(), "generations");
  for (let node = 0; node < CAPACITY; node++) stored.save(`w/${node}`, ["x"]);
  stored.save("w/0", ["again"]);
  stored.save("w/new", ["y"]);
  assert.deepEqual(stored.load("w/1"), []);
  assert.deepEqual(stored.load("w/0"), ["again"]);
});

test("with a corrupt or forbidden storage nothing is loaded", () => {
  assert.deepEqual(
    new DisplayStorage(storage({ "context_checkpoint.generations": "[1" }), "generations").load("w/1"),
    [],
  );
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error("QuotaExceededError");
    },
  };
  new DisplayStorage(full, "generations").save("w/1", ["a"]);
  assert.deepEqual(new DisplayStorage(full, "generations").load("w/1"), []);
});
