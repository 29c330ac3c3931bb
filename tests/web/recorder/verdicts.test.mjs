// What a press changes, and what is sent for it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  allRejected,
  feedbackBody,
  generationFrom,
  hasRest,
  onlyPicked,
  pickBody,
  restRejected,
  toggled,
} from "../../../web/recorder/verdicts.mjs";

const images = (...verdicts) => verdicts.map((verdict, index) => ({ index, checkpoint: `c${index}`, verdict }));
const verdictsOf = (judged) => judged.map((image) => image.verdict);

test("a second press withdraws a pick", () => {
  const picked = toggled(images(null, null), 1, "selected");
  assert.deepEqual(verdictsOf(picked), [null, "selected"]);
  assert.deepEqual(verdictsOf(toggled(picked, 1, "selected")), [null, null]);
});

test("pressing reject on a picked image changes its verdict", () => {
  assert.deepEqual(verdictsOf(toggled(images("selected"), 0, "rejected")), ["rejected"]);
});

test("an image is identified by its index in the generation, not by its place in the list", () => {
  const later = [{ index: 5, checkpoint: "a", verdict: null }];
  assert.deepEqual(feedbackBody("g", toggled(later, 5, "selected")).selected_images, [5]);
});

test("reject all includes the picked ones, and a second press withdraws everything", () => {
  const rejected = allRejected(images("selected", null));
  assert.deepEqual(verdictsOf(rejected), ["rejected", "rejected"]);
  assert.deepEqual(verdictsOf(allRejected(rejected)), [null, null]);
});

test("rejecting the rest keeps the other verdicts", () => {
  assert.deepEqual(verdictsOf(restRejected(images("selected", null, "rejected"))), [
    "selected",
    "rejected",
    "rejected",
  ]);
});

test("there is a rest only after a pick and while an image has no verdict", () => {
  assert.equal(hasRest(images(null, null)), false);
  assert.equal(hasRest(images("selected", "rejected")), false);
  assert.equal(hasRest(images("selected", null)), true);
});

test("the whole verdict is sent, and both lists empty means withdrawn", () => {
  assert.deepEqual(feedbackBody("g", images("selected", "rejected", null)), {
    generation_id: "g",
    selected_images: [0],
    rejected_images: [1],
  });
  assert.deepEqual(feedbackBody("g", images(null)), {
    generation_id: "g",
    selected_images: [],
    rejected_images: [],
  });
});

test("a generation is read from a node's output and from the server's record", () => {
  const shown = { checkpoint: "a.safetensors", filename: "x.png", subfolder: "s", type: "temp" };
  const fromNode = generationFrom({ generation_id: "g", images: [{ index: 0, ...shown, verdict: "selected" }] });
  const fromServer = generationFrom({ id: "g", images: [{ position: 0, file: shown, verdict: "selected" }] });
  assert.deepEqual(fromNode, fromServer);
  assert.equal(fromNode.images[0].verdict, "selected");
});

test("an empty record is an empty generation and not an error", () => {
  assert.deepEqual(generationFrom({}), { generationId: "", images: [], message: "", messageParts: "" });
});

test("picking only one rejects all others, whatever their verdict", () => {
  assert.deepEqual(verdictsOf(onlyPicked(images("selected", null, "rejected"), 2)), [
    "rejected",
    "rejected",
    "selected",
  ]);
});

test("several generations are one pick, with their images counted through", () => {
  const generations = [images(null, "selected"), images("rejected", null, "selected")];
  assert.deepEqual(pickBody(generations), { selected_images: [1, 4], rejected_images: [2] });
});
