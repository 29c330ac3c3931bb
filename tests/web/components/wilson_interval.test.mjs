// The confidence interval of a share of few images.

import assert from "node:assert/strict";
import { test } from "node:test";

import { wilsonInterval } from "../../../web/components/wilson_interval.mjs";

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 5e-4, `${actual} is not ${expected}`);

test("without images there is no share", () => {
  assert.equal(wilsonInterval(0, 0), null);
});

// By hand: 1 of 1 is 1 / (1 + z^2). 81 of 263 is an example of R. G. Newcombe, Statistics in Medicine 17, 1998.
for (const [selected, total, low, high] of [
  [1, 1, 0.2065, 1],
  [0, 1, 0, 0.7935],
  [7, 10, 0.3968, 0.8922],
  [81, 263, 0.2553, 0.3662],
]) {
  test(`${selected} of ${total} images lie between ${low} and ${high}`, () => {
    const interval = wilsonInterval(selected, total);
    near(interval.rate, selected / total);
    near(interval.low, low);
    near(interval.high, high);
  });
}

test("a weighted share that rounding puts above 1 is 1", () => {
  const { rate, low, high } = wilsonInterval(3.0000001, 3);
  assert.equal(rate, 1);
  assert.ok(low > 0 && high <= 1);
});
