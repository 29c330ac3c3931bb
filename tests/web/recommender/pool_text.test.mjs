// The line that stands for the folded inputs leaves none of them out.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { translator } from "../../../web/lib/i18n.mjs";
import { poolText } from "../../../web/recommender/pool_text.mjs";

const TEXTS = JSON.parse(readFileSync(new URL("../../../locales/en/main.json", import.meta.url), "utf-8"));
const t = translator(TEXTS.contextCheckpoint);
const NEW = {
  family: "auto",
  include: "",
  exclude: "",
  fallback: "none",
  folder: "checkpoints",
  needs: "CLIP and VAE",
};

test("a new node chooses among all checkpoints", () => {
  assert.equal(poolText(NEW, t), "Pool: all checkpoints");
  assert.equal(poolText({ ...NEW, family: "all" }, t), "Pool: all checkpoints");
});

test("each input that restricts the pool is in the line", () => {
  const changed = {
    family: "sdxl",
    include: "portrait/*",
    exclude: "*turbo*",
    fallback: "base.safetensors",
    needs: "VAE",
  };
  for (const [name, value] of Object.entries({ ...changed, folder: "diffusion_models" })) {
    assert.ok(poolText({ ...NEW, [name]: value }, t).includes(value), name);
  }
  assert.equal(
    poolText({ ...NEW, ...changed }, t),
    "Pool: all checkpoints, only sdxl, only portrait/*, without *turbo*, with VAE, otherwise base.safetensors",
  );
});
