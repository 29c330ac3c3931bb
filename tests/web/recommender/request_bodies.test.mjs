// The request bodies for the values of a recommender node.

import assert from "node:assert/strict";
import { test } from "node:test";

import { explainBody, recommendBody } from "../../../web/recommender/request_bodies.mjs";

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

test("the body of a recommendation has the pool's rules, and nothing that the server does not know", () => {
  assert.deepEqual(recommendBody(NODE), { prompt: "a portrait", pool: RULES, ...CHOICES });
});

test("the body of an explanation has the same values, not nested", () => {
  assert.deepEqual(explainBody(NODE), { prompt: "a portrait", ...RULES, ...CHOICES });
});

test("a chosen policy and fallback are in the body", () => {
  const body = recommendBody({ ...NODE, policy: "counts", fallback: "a.safetensors" });
  assert.equal(body.policy, "counts");
  assert.equal(body.pool.fallback, "a.safetensors");
});

test("a folder and needed parts are in the body if they are chosen", () => {
  const chosen = { ...NODE, folder: "diffusion_models", needs: "model only" };
  assert.deepEqual(recommendBody(chosen).pool, { ...RULES, folder: "diffusion_models", needs: [] });
  assert.deepEqual(explainBody({ ...NODE, folder: "checkpoints", needs: "CLIP and VAE" }).needs, undefined);
});

test("a negative prompt is in the body if there is one", () => {
  assert.equal(recommendBody({ ...NODE, negative: "blurry" }).negative, "blurry");
  assert.equal(explainBody({ ...NODE, negative: "blurry" }).negative, "blurry");
  assert.ok(!("negative" in recommendBody({ ...NODE, negative: "" })));
});

for (const seed of [2 ** 64, 2 ** 53, -1, 1.5, undefined]) {
  test(`seed ${seed} is left out, since another one would be sent`, () => {
    assert.ok(!("seed" in recommendBody({ ...NODE, seed })));
  });
}

test("values that an older workflow lacks are left out", () => {
  assert.deepEqual(recommendBody({ prompt: "x" }), {
    prompt: "x",
    pool: { family: "auto", include: "", exclude: "", fallback: "" },
  });
});
