// How far it is to one checkpoint alone, in each language.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { translator } from "../../../web/lib/i18n.mjs";
import { planFrom, progressText } from "../../../web/recommender/plan.mjs";

const translatorOf = (language) => {
  const file = new URL(`../../../locales/${language}/main.json`, import.meta.url);
  return translator(JSON.parse(readFileSync(file, "utf8")).contextCheckpoint);
};
const [english, chinese, japanese] = ["en", "zh", "ja"].map(translatorOf);
const LEARNING = { pictures: 12, of_about: 20, alone: false };

test("the pictures so far, and about how many it takes", () => {
  assert.equal(progressText(LEARNING, english), "12 of about 20 pictures until it decides alone for such prompts.");
  for (const t of [chinese, japanese]) assert.match(progressText(LEARNING, t), /12.*20|20.*12/);
});

test("once it decides alone there is no number", () => {
  assert.equal(progressText({ pictures: 21, of_about: null, alone: true }, english), "Decides alone for such prompts.");
});

test("what cannot be foreseen is not guessed", () => {
  const text = progressText({ pictures: 90, of_about: null, alone: false }, english);
  assert.equal(text, "90 pictures of such prompts are judged, and none of the checkpoints stands out yet.");
});

test("nothing is said where verdicts do not decide it, nor by an older server", () => {
  assert.equal(progressText(planFrom({ progress: null }).progress, english), "");
  assert.equal(progressText(planFrom({}).progress, english), "");
});
