// The action of each key in the gallery, and where an arrow moves to.

import assert from "node:assert/strict";
import { test } from "node:test";

import { actionOf, moved } from "../../../web/recorder/gallery_keys.mjs";

const action = (key, modifiers = {}) => actionOf({ key, ...modifiers })?.action;

test("keys pick, reject, undo, zoom and compare, with and without Caps Lock", () => {
  assert.deepEqual(
    ["Enter", "x", "X", "u", " ", "c", "o", "Escape"].map((key) => action(key)),
    ["pick", "reject", "reject", "undo", "zoom", "compare", "only", "leave"],
  );
});

test("a digit picks the image of that number", () => {
  assert.deepEqual(actionOf({ key: "3" }), { action: "pick", to: 2 });
  assert.equal(actionOf({ key: "0" }), null);
});

test("Ctrl+Enter is ComfyUI's, Shift+Enter lets the workflow continue", () => {
  assert.equal(action("Enter", { ctrlKey: true }), undefined);
  assert.equal(action("Enter", { shiftKey: true }), "continue");
});

test("no other key has an action, not even the name of an object's property", () => {
  assert.deepEqual(
    ["a", "Tab", "constructor", "toString"].map((key) => action(key)),
    Array(4).fill(undefined),
  );
});

test("arrows move within the grid", () => {
  assert.equal(moved(0, "ArrowRight", 5, 3), 1);
  assert.equal(moved(0, "ArrowDown", 5, 3), 3);
  assert.equal(moved(2, "ArrowDown", 5, 3), 2);
  assert.equal(moved(0, "ArrowLeft", 5, 3), 0);
  assert.equal(moved(1, "End", 5, 3), 4);
  assert.equal(moved(4, "Home", 5, 3), 0);
});
