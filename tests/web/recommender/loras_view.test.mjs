// Each LoRA of a plan once, with the checkpoints that it is for; its reasons once.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { translator } from "../../../web/lib/i18n.mjs";
import { cut, lorasOf } from "../../../web/recommender/loras_view.mjs";

const translatorOf = (language) => {
  const file = new URL(`../../../locales/${language}/main.json`, import.meta.url);
  return translator(JSON.parse(readFileSync(file, "utf8")).contextCheckpoint);
};
const [english, chinese, japanese] = ["en", "zh", "ja"].map(translatorOf);

const because = (name, word) => [
  { text: `${name}: its trigger word ${word} is in the prompt.`, key: "lora_by_trigger", values: { name, word } },
];
const NONE = [{ text: "No LoRA helps.", values: {} }];
const branch = (checkpoint, loras, more = {}) => ({
  checkpoint,
  loras: loras.map((name) => [name, 0.8, 0.8]),
  trigger_words: loras.map((name) => `${name} word`),
  reason_parts: loras.map((name) => because(name, `${name} word`)),
  ...more,
});

test("what all checkpoints have is said once", () => {
  const branches = ["red", "blue", "green"].map((name) => branch(name, ["ink", "wash"]));

  const { loras, without, words, reasons } = lorasOf(branches, english);

  assert.deepEqual(loras, [
    { name: "ink", strengths: "0.8", checkpoints: [], reasons: ["its trigger word ink word is in the prompt."] },
    { name: "wash", strengths: "0.8", checkpoints: [], reasons: ["its trigger word wash word is in the prompt."] },
  ]);
  assert.deepEqual([without, words, reasons], [[], "ink word, wash word", []]);
});

test("what some checkpoints have names them, and those that have none", () => {
  const branches = [branch("red", ["ink"]), branch("blue", [], { reason_parts: [NONE] }), branch("green", ["ink"])];

  const { loras, without, reasons } = lorasOf(branches, english);

  assert.deepEqual(
    loras.map(({ name, checkpoints }) => [name, checkpoints]),
    [["ink", ["red", "green"]]],
  );
  assert.deepEqual([without, reasons], [["blue"], ["No LoRA helps."]]);
});

test("one LoRA with two strengths is two", () => {
  const other = { ...branch("blue", ["ink"]), loras: [["ink", 0.8, 0.5]] };

  const { loras } = lorasOf([branch("red", ["ink"]), other], english);

  assert.deepEqual(
    loras.map(({ strengths, checkpoints }) => [strengths, checkpoints]),
    [
      ["0.8", ["red"]],
      ["0.8:0.5", ["blue"]],
    ],
  );
});

test("where no checkpoint has one, the reason is said once", () => {
  const branches = ["red", "blue"].map((name) => branch(name, [], { reason_parts: [NONE] }));

  assert.deepEqual(lorasOf(branches, english), { loras: [], without: [], words: "", reasons: ["No LoRA helps."] });
  assert.deepEqual(lorasOf([{}], english), { loras: [], without: [], words: "", reasons: [] });
});

test("a reason does not repeat the name, in three languages", () => {
  const reasons = (t) => lorasOf([branch("red", ["ink"])], t).loras[0].reasons;

  assert.deepEqual(reasons(english), ["its trigger word ink word is in the prompt."]);
  assert.deepEqual(reasons(chinese), ["提示词中有它的触发词 ink word。"]);
  assert.deepEqual(reasons(japanese), ["トリガーワード「ink word」がプロンプトにあります。"]);
});

test("a long name keeps its beginning and its end", () => {
  const name = "a_very_long_name_of_a_lora_that_somebody_downloaded_v12";

  assert.equal(cut(name), "a_very_long_name_of_a_…nloaded_v12");
  assert.equal([...cut("😀".repeat(50))].length, 34);
  assert.equal(cut("ink"), "ink");
});
