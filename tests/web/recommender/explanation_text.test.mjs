// The explanation's sentence, and what would change it, in each language. That the English is the server's is tested on
// the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { translator } from "../../../web/lib/i18n.mjs";
import {
  changeText,
  displayNames,
  explanationSentence,
  reasonText,
} from "../../../web/recommender/explanation_text.mjs";
import { explanationText, planFrom } from "../../../web/recommender/plan.mjs";

const translatorOf = (language) => {
  const file = new URL(`../../../locales/${language}/main.json`, import.meta.url);
  return translator(JSON.parse(readFileSync(file, "utf8")).contextCheckpoint);
};
const [english, chinese, japanese] = ["en", "zh", "ja"].map(translatorOf);
const GROUNDS = {
  finding: "clear_winner",
  leader: "sdxl/epic.safetensors",
  leader_judged: true,
  any_prompt: false,
  surprised: false,
  kept: [
    { keyword: "cat", effect: 1.5, selected: 11, total: 12 },
    { keyword: "night", effect: 0.5, selected: 5, total: 9 },
  ],
};
const parts = (changes = {}) => ({ opening: "alone", grounds: GROUNDS, pinned: [], problem: "", ...changes });
const NAMES = ["sdxl/epic.safetensors", "dream.ckpt", "anime\\jugg.safetensors"];

test("the checkpoints and the reasons, in three languages", () => {
  const text = (t) => explanationSentence(NAMES.slice(0, 1), parts(), t);
  assert.equal(
    text(english),
    'epic alone: it is the clear winner on such prompts, with images kept: 11 of 12 for "cat" and 5 of 9 for "night".',
  );
  assert.equal(
    text(chinese),
    "只用 epic：在类似提示词上，epic 明显胜出（保留的图像：“cat” 12 张中的 11 张和“night” 9 张中的 5 张）。",
  );
  assert.equal(
    text(japanese),
    "epic だけを使います：このようなプロンプトでは epic がはっきり勝っています（残した画像：「cat」は 12 枚中 11 枚、「night」は 9 枚中 5 枚）。",
  );
});

test("unexpected verdicts are mentioned after the finding", () => {
  const text = (t) => reasonText({ ...GROUNDS, finding: "no_clear_winner", kept: [], surprised: true }, t);
  assert.equal(
    text(english),
    "no clear winner on such prompts; epic leads narrowly; recent verdicts on such prompts were not as expected",
  );
  assert.match(text(chinese), /略微领先；近来对类似提示词的评判与预期不同$/);
  assert.match(text(japanese), /ただし最近、このようなプロンプトの判定は予想と異なっていました$/);
});

test("what comes from images that were there is said last", () => {
  const grounds = { ...GROUNDS, finding: "little_data", kept: [], imported_verdicts: 7, follows_images: true };
  assert.equal(
    reasonText(grounds, english),
    "little data on such prompts yet; so far epic leads; 7 verdicts on epic are from images that you had; " +
      "what is compared follows images that you had",
  );
  assert.match(reasonText(grounds, chinese), /epic 的评判中有 7 个来自您已有的图像；比较哪些检查点参考了您已有的图像$/);
  assert.match(
    reasonText(grounds, japanese),
    /7 件は手元にあった画像によるものです。何を比較するかは手元にあった画像に基づいています$/,
  );
});

test("what others taught is named by where it comes from", () => {
  const grounds = { ...GROUNDS, finding: "nothing_known", taught_by: ["people who share", "anna.json"] };
  assert.match(reasonText(grounds, english), /; it also counts what others taught \(people who share and .*anna\.json/);
  assert.match(reasonText(grounds, chinese), /共享的人/);
  assert.match(reasonText(grounds, japanese), /共有している人たち/);
});

test("a long name is shortened to its beginning and its end", () => {
  const long = `${"😀".repeat(150)}${"x".repeat(150)}_v2.1.safetensors`;
  const text = explanationSentence([long], parts({ grounds: { ...GROUNDS, leader: long, kept: [] } }), english);
  assert.equal(text, `${"😀".repeat(47)}…xxxxxxx_v2.1 alone: it is the clear winner on such prompts.`);
});

test("files of one name in two folders are told apart in every text", () => {
  const names = ["photo/epic.safetensors", "anime\\epic.safetensors", "dream.ckpt"];
  const grounds = { ...GROUNDS, leader: names[1], kept: [] };
  const plan = explanationSentence(names, parts({ opening: "compare", grounds, pinned: [names[0]] }), english);
  assert.match(plan, /^Compare photo\/epic, anime\/epic and dream: anime\/epic is the clear .* Pinned: photo\/epic\.$/);
  const called = displayNames(names);
  assert.match(reasonText(grounds, english, called), /^anime\/epic is/);
  const change = { runner_up: names[0], behind: 0.1, picks: 1, without: [{ keyword: "cat", checkpoint: names[1] }] };
  const text = changeText({ finding: "clear_winner", would_change: change }, english, called);
  assert.match(text, /^photo\/epic is second.* without "cat", anime\/epic\.$/);
});

test("long names that differ in their middle alone are not shortened to the same text", () => {
  const names = ["one", "two"].map((middle) => `${"x".repeat(50)}${middle}${"y".repeat(50)}.ckpt`);
  const called = displayNames(names);
  assert.notEqual(called(names[0]), called(names[1]));
});

test("several are listed without their folders and extensions", () => {
  const grounds = { ...GROUNDS, finding: "nothing_known", kept: [] };
  const text = (t) => explanationSentence(NAMES, parts({ opening: "compare", grounds }), t);
  assert.equal(text(english), "Compare epic, dream and jugg: no verdict on a prompt like this one is known yet.");
  assert.equal(text(chinese), "比较 epic、dream和jugg：还没有对类似提示词的评判。");
  assert.equal(text(japanese), "epic、dream、jugg を比較します：このようなプロンプトの判定はまだありません。");
});

test("a prompt without a word is said to have none, in three languages", () => {
  const grounds = { ...GROUNDS, finding: "nothing_known", no_words: true, kept: [] };
  const texts = [english, chinese, japanese].map((t) => reasonText(grounds, t));
  assert.deepEqual(texts, [
    "no word of the prompt could be read",
    "提示词中没有能读出的词",
    "プロンプトに読み取れる語がありません",
  ]);
  const change = { finding: "nothing_known", grounds, would_change: { runner_up: "dream.ckpt", without: [] } };
  assert.equal(changeText(change, english), "A prompt with words.");
});

test("every opening and every finding has a text without empty placeholders", () => {
  const openings = ["only_candidate", "draft", "compare", "mostly", "alone", "no_pool", "not_learned"];
  const findings = ["nothing_known", "little_data", "no_clear_winner", "clear_winner"];
  for (const t of [english, chinese, japanese]) {
    for (const opening of openings) {
      for (const finding of findings) {
        for (const leader_judged of [true, false]) {
          const grounds = { ...GROUNDS, finding, leader_judged };
          const text = explanationSentence(NAMES, parts({ opening, grounds, problem: "It is locked." }), t);
          assert.doesNotMatch(text, /[{}_]|undefined/);
          assert.match(text, /[.。]$/);
          assert.ok(text.includes("epic"));
        }
      }
    }
  }
});

test("the finding on another checkpoint is not attributed to a pinned one", () => {
  const text = explanationSentence(["dream.ckpt"], parts({ pinned: ["dream.ckpt"] }), english);
  assert.match(text, /^dream alone: epic is the clear winner .* Pinned: dream\.$/);
});

test("a failure is shown with the server's reason", () => {
  const text = explanationSentence(
    ["epic"],
    parts({ opening: "not_learned", grounds: null, problem: "It is locked." }),
    english,
  );
  assert.equal(text, "What was learned could not be used: It is locked. Instead: epic.");
});

test("what would change it", () => {
  const change = { runner_up: "dream.ckpt", behind: 0.123, picks: 3, most_picks: 20, without: [] };
  const text = (t, changes, finding = "clear_winner") =>
    changeText({ finding, would_change: { ...change, ...changes } }, t);
  assert.equal(
    text(english, { without: [{ keyword: "cat", checkpoint: "a/jugg.ckpt" }] }),
    'dream is second, 0.12 behind; about 3 more picks of it on such prompts would put it first. First would be, without "cat", jugg.',
  );
  assert.match(text(english, { picks: null }), /even 20 more picks/);
  assert.match(text(english, { picks: 1 }), /one more pick/);
  assert.equal(text(english, { runner_up: "" }), "Nothing: there is no other candidate.");
  assert.equal(text(japanese, {}, "nothing_known"), "このようなプロンプトへの判定なら、どれでも変わります。");
  assert.match(text(chinese, { without: [{ keyword: "cat", checkpoint: "jugg" }] }), /若没有“cat”，jugg 会排第一。$/);
});

test("a right-to-left name does not change the order of the text around it", () => {
  assert.match(
    reasonText({ ...GROUNDS, leader: "\u0633\u0645\u0643\u0629" }, english),
    /^\u2068\u0633\u0645\u0643\u0629\u2069 is/,
  );
});

test("an explanation without parts, from an older server, is shown as it is", () => {
  const plan = planFrom({ checkpoints: ["epic"], explanation: "epic alone." });
  assert.equal(explanationText(plan, japanese), "epic alone.");
});

test("of equally good checkpoints it says which goes first, and why", () => {
  const precedence = { checkpoint: "b.ckpt", best: "a.ckpt", because: "loaded" };
  const text = (/** @type {string} */ because) =>
    explanationSentence(
      ["b.ckpt", "a.ckpt"],
      parts({ opening: "compare", precedence: { ...precedence, because } }),
      english,
    );

  assert.ok(text("loaded").endsWith("equally good for this prompt; b goes first because it is loaded already."));
  assert.ok(text("quicker").endsWith("equally good for this prompt; b goes first because it is quicker."));
});
