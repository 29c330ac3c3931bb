// What a key means in the gallery, and where an arrow leads.

import assert from "node:assert/strict";
import { test } from "node:test";

import { meaningOf, moved } from "../../../web/recorder/gallery_keys.mjs";

const action = (key, held = {}) => meaningOf({ key, ...held })?.action;

test("keys pick, reject, undo, zoom and compare, with and without Caps Lock", () => {
  assert.deepEqual(
    ["Enter", "x", "X", "u", " ", "c", "o", "Escape"].map((key) => action(key)),
    ["pick", "reject", "reject", "undo", "zoom", "compare", "only", "leave"],
  );
});

test("a digit means the image of that number", () => {
  assert.deepEqual(meaningOf({ key: "3" }), { action: "pick", to: 2 });
  assert.equal(meaningOf({ key: "0" }), null);
});

test("Ctrl+Enter stays ComfyUI's, Shift+Enter lets the workflow go on", () => {
  assert.equal(action("Enter", { ctrlKey: true }), undefined);
  assert.equal(action("Enter", { shiftKey: true }), "continue");
});

test("no other key is taken, whatever objects are called", () => {
  assert.deepEqual(
    ["a", "Tab", "constructor", "toString"].map((key) => action(key)),
    Array(4).fill(undefined),
  );
});

test("arrows move in the grid and stay where there is nothing", () => {
  assert.equal(moved(0, "ArrowRight", 5, 3), 1);
  assert.equal(moved(0, "ArrowDown", 5, 3), 3);
  assert.equal(moved(2, "ArrowDown", 5, 3), 2);
  assert.equal(moved(0, "ArrowLeft", 5, 3), 0);
  assert.equal(moved(1, "End", 5, 3), 4);
  assert.equal(moved(4, "Home", 5, 3), 0);
});
