// From a recommender node to what the server is asked.

import assert from "node:assert/strict";
import { test } from "node:test";

import { explainBody, recommendBody } from "../../../web/recommender/recommender_values.mjs";

const NODE = {
  prompt: "a portrait",
  family: "auto",
  include: "",
  exclude: "*inpaint*",
  fallback: "none",
  stage: "final",
  explore: true,
  max_branches: 3,
  seed: 7,
  policy: "default (as in settings)",
  exploit_threshold: 0.5,
  explore_threshold: 0.3,
  context_checkpoint_plan: "",
};

const CHOICES = {
  stage: "final",
  explore: true,
  max_branches: 3,
  seed: 7,
  exploit_threshold: 0.5,
  explore_threshold: 0.3,
};
const RULES = { family: "auto", include: "", exclude: "*inpaint*", fallback: "" };

test("the plan is asked for with the pool's rules, and with nothing the server does not know", () => {
  assert.deepEqual(recommendBody(NODE), { prompt: "a portrait", pool: RULES, ...CHOICES });
});

test("the reasons are asked for with the same, flat", () => {
  assert.deepEqual(explainBody(NODE), { prompt: "a portrait", ...RULES, ...CHOICES });
});

test("a policy and a fallback that were chosen are named", () => {
  const body = recommendBody({ ...NODE, policy: "counts", fallback: "a.safetensors" });
  assert.equal(body.policy, "counts");
  assert.equal(body.pool.fallback, "a.safetensors");
});

test("a negative prompt goes along where there is one", () => {
  assert.equal(recommendBody({ ...NODE, negative: "blurry" }).negative, "blurry");
  assert.equal(explainBody({ ...NODE, negative: "blurry" }).negative, "blurry");
  assert.ok(!("negative" in recommendBody({ ...NODE, negative: "" })));
});

for (const seed of [2 ** 64, 2 ** 53, -1, 1.5, undefined]) {
  test(`seed ${seed} is left out rather than sent as another one`, () => {
    assert.ok(!("seed" in recommendBody({ ...NODE, seed })));
  });
}

test("what an older workflow lacks gets the server's default", () => {
  assert.deepEqual(recommendBody({ prompt: "x" }), {
    prompt: "x",
    pool: { family: "auto", include: "", exclude: "", fallback: "" },
  });
});
