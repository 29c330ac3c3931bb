// What the series says, in shares.

import assert from "node:assert/strict";
import { test } from "node:test";

import { shares, summed } from "../../../web/panel/progress.mjs";

const point = (changes) => ({
  generations: 0,
  judged: 0,
  agreed: 0,
  exploited: 0,
  images: 0,
  images_saved: 0,
  confidence: 0,
  first_at: "2026-01-01T00:00:00Z",
  last_at: "2026-01-01T00:00:00Z",
  ...changes,
});

const POINTS = [
  point({ generations: 3, images: 9, confidence: 0.6 }),
  point({ generations: 2, judged: 2, agreed: 1, exploited: 2, images: 2, images_saved: 4, confidence: 1.6 }),
];

test("points add up to the whole", () => {
  const all = summed(POINTS);
  assert.deepEqual([all.images, all.images_saved], [11, 4]);
  assert.equal(all.agreement, 0.5);
  assert.equal(all.saved, 4 / 15);
});

test("without rounds nothing is a share of anything", () => {
  const none = summed([]);
  assert.equal(none.agreement, null);
  assert.equal(none.saved, null);
});

test("a line counts the rounds on from point to point", () => {
  assert.deepEqual(shares(POINTS, "exploited", "generations"), [
    { from: 1, to: 3, value: 0 },
    { from: 4, to: 5, value: 1 },
  ]);
});

test("a point without verdicts says nothing of agreement, which is not none", () => {
  assert.deepEqual(
    shares(POINTS, "agreed", "judged").map(({ value }) => value),
    [null, 0.5],
  );
});

test("sums of shares that exceed the whole by rounding stay within it", () => {
  const [only] = shares([point({ generations: 3, confidence: 3.0000000000000004 })], "confidence", "generations");
  assert.equal(only.value, 1);
});
