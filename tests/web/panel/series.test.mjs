// The series as shares.

import assert from "node:assert/strict";
import { test } from "node:test";

import { shares, totals } from "../../../web/panel/series.mjs";

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
  const all = totals(POINTS);
  assert.deepEqual([all.images, all.images_saved], [11, 4]);
  assert.equal(all.agreement, 0.5);
  assert.equal(all.saved, 4 / 15);
});

test("without generations there are no shares", () => {
  const none = totals([]);
  assert.equal(none.agreement, null);
  assert.equal(none.saved, null);
});

test("a line counts the generations on from point to point", () => {
  assert.deepEqual(shares(POINTS, "exploited", "generations"), [
    { from: 1, to: 3, value: 0 },
    { from: 4, to: 5, value: 1 },
  ]);
});

test("a point without verdicts has no agreement, which is not an agreement of 0", () => {
  assert.deepEqual(
    shares(POINTS, "agreed", "judged").map(({ value }) => value),
    [null, 0.5],
  );
});

test("a share that rounding puts above 1 is 1", () => {
  const [only] = shares([point({ generations: 3, confidence: 3.0000000000000004 })], "confidence", "generations");
  assert.equal(only.value, 1);
});
