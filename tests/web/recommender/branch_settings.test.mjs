// What a checkpoint is drawn with, in a line for each source.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { translator } from "../../../web/lib/i18n.mjs";
import { lorasLine, settingsLines } from "../../../web/recommender/branch_settings.mjs";

const translatorOf = (language) => {
  const file = new URL(`../../../locales/${language}/main.json`, import.meta.url);
  return translator(JSON.parse(readFileSync(file, "utf8")).contextCheckpoint);
};
const [english, chinese, japanese] = ["en", "zh", "ja"].map(translatorOf);

const NAME = [{ text: "its name", key: "profile_by_name", values: {} }];
const SIDECAR = [{ text: "its sidecar file a.json", key: "profile_by_sidecar", values: { file: "a.json" } }];
const BRANCH = {
  settings: { steps: 4, cfg: 1.5, sampler: "euler", scheduler: null, width: 832, height: 1216, before: "score_9" },
  sources: {
    steps: "its name",
    cfg: "its sidecar file a.json",
    sampler: "its name",
    width: "its sidecar file a.json",
    height: "its sidecar file a.json",
    before: "its sidecar file a.json",
  },
  source_parts: { steps: NAME, cfg: SIDECAR, sampler: NAME, width: SIDECAR, height: SIDECAR, before: SIDECAR },
};

test("the settings of one source are one line, in three languages", () => {
  assert.deepEqual(settingsLines(BRANCH, english), [
    "4 steps, euler (its name)",
    "cfg 1.5, 832 × 1216, before: “score_9” (its sidecar file a.json)",
  ]);
  assert.deepEqual(settingsLines(BRANCH, chinese), [
    "4 步、euler（其名称）",
    "CFG 1.5、832 × 1216、前：“score_9”（其附属文件 a.json）",
  ]);
  assert.deepEqual(settingsLines(BRANCH, japanese), [
    "4 ステップ、euler（ファイル名）",
    "CFG 1.5、832 × 1216、前：「score_9」（付属ファイル a.json）",
  ]);
});

test("nothing known is no line, and a source without parts stays English", () => {
  assert.deepEqual(settingsLines({}, english), []);
  assert.deepEqual(settingsLines({ settings: { steps: null }, sources: {} }, english), []);
  assert.deepEqual(settingsLines({ settings: { clip_skip: 2 }, sources: { clip_skip: "this node" } }, english), [
    "clip skip 2 (this node)",
  ]);
});

test("long words are cut, and what nobody sees in them is spelled out", () => {
  const [line] = settingsLines(
    { settings: { before: `a\u202e${"b".repeat(200)}` }, sources: { before: "x" } },
    english,
  );

  assert.ok(line.startsWith("before: “a[U+202E]bbb"));
  assert.equal(line.length, "before: “”".length + 80 + " (x)".length);
});

test("a branch's LoRAs are one line, with a second strength where it differs", () => {
  const loras = [
    ["sdxl/ink.safetensors", 0.8, 0.8],
    ["sd15\\ink.safetensors", -0.123456, 1],
    ["\u202edetail.pt", 1, 1],
  ];

  assert.equal(lorasLine({ loras }, english), "LoRAs sdxl/ink 0.8, sd15/ink -0.12:1, [U+202E]detail 1");
  assert.equal(lorasLine({ loras }, japanese), "LoRA sdxl/ink 0.8、sd15/ink -0.12:1、[U+202E]detail 1");
  assert.equal(lorasLine({ loras: [] }, english), "");
  assert.equal(lorasLine({}, english), "");
});
