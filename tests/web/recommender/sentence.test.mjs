// The one sentence, and what would change it, in each language. That the English is the server's own is tested on the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { speaker } from "../../../web/lib/i18n.mjs";
import { explanationInWords, planFrom } from "../../../web/recommender/plan.mjs";
import { sentence, whatWouldChange, why } from "../../../web/recommender/sentence.mjs";

const said = (language) => {
  const file = new URL(`../../../locales/${language}/main.json`, import.meta.url);
  return speaker(JSON.parse(readFileSync(file, "utf8")).contextCheckpoint);
};
const [english, chinese, japanese] = ["en", "zh", "ja"].map(said);
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

test("what is shown and why, in three languages", () => {
  const told = (say) => sentence(NAMES.slice(0, 1), parts(), say);
  assert.equal(
    told(english),
    'epic alone: it is the clear winner on such prompts, with images kept: 11 of 12 for "cat" and 5 of 9 for "night".',
  );
  assert.equal(
    told(chinese),
    "只用 epic：在类似提示词上，epic 明显胜出（保留的图像：“cat” 12 张中的 11 张和“night” 9 张中的 5 张）。",
  );
  assert.equal(
    told(japanese),
    "epic だけを使います：このようなプロンプトでは epic がはっきり勝っています（残した画像：「cat」は 12 枚中 11 枚、「night」は 9 枚中 5 枚）。",
  );
});

test("that verdicts came out otherwise than expected is said behind the finding", () => {
  const told = (say) => why({ ...GROUNDS, finding: "no_clear_winner", kept: [], surprised: true }, say);
  assert.equal(
    told(english),
    "no clear winner on such prompts; epic leads narrowly; recent verdicts on such prompts were not as expected",
  );
  assert.match(told(chinese), /略微领先；近来对类似提示词的评判与预期不同$/);
  assert.match(told(japanese), /ただし最近、このようなプロンプトの判定は予想と異なっていました$/);
});

test("of a name that would fill the sentence its beginning and its end are said", () => {
  const long = `${"😀".repeat(150)}${"x".repeat(150)}_v2.1.safetensors`;
  const told = sentence([long], parts({ grounds: { ...GROUNDS, leader: long, kept: [] } }), english);
  assert.equal(told, `${"😀".repeat(47)}…xxxxxxx_v2.1 alone: it is the clear winner on such prompts.`);
});

test("several are listed without their folders and endings", () => {
  const grounds = { ...GROUNDS, finding: "nothing_known", kept: [] };
  const told = (say) => sentence(NAMES, parts({ opening: "compare", grounds }), say);
  assert.equal(told(english), "Compare epic, dream and jugg: no verdict on a prompt like this one is known yet.");
  assert.equal(told(chinese), "比较 epic、dream和jugg：还没有对类似提示词的评判。");
  assert.equal(told(japanese), "epic、dream、jugg を比較します：このようなプロンプトの判定はまだありません。");
});

test("every beginning and every finding is said, with nothing left to fill in", () => {
  const openings = ["only_candidate", "draft", "compare", "mostly", "alone", "no_pool", "not_learned"];
  const findings = ["nothing_known", "little_data", "no_clear_winner", "clear_winner"];
  for (const say of [english, chinese, japanese]) {
    for (const opening of openings) {
      for (const finding of findings) {
        for (const leader_judged of [true, false]) {
          const grounds = { ...GROUNDS, finding, leader_judged };
          const told = sentence(NAMES, parts({ opening, grounds, problem: "It is locked." }), say);
          assert.doesNotMatch(told, /[{}_]|undefined/);
          assert.match(told, /[.。]$/);
          assert.ok(told.includes("epic"));
        }
      }
    }
  }
});

test("a pinned checkpoint is not said to be what another one is", () => {
  const told = sentence(["dream.ckpt"], parts({ pinned: ["dream.ckpt"] }), english);
  assert.match(told, /^dream alone: epic is the clear winner .* Pinned: dream\.$/);
});

test("a failure is told as the server tells it", () => {
  const told = sentence(["epic"], parts({ opening: "not_learned", grounds: null, problem: "It is locked." }), english);
  assert.equal(told, "What was learned could not be used: It is locked. Instead: epic.");
});

test("what would change it", () => {
  const change = { runner_up: "dream.ckpt", behind: 0.123, picks: 3, most_picks: 20, without: [] };
  const told = (say, changes, finding = "clear_winner") =>
    whatWouldChange({ finding, would_change: { ...change, ...changes } }, say);
  assert.equal(
    told(english, { without: [{ keyword: "cat", checkpoint: "a/jugg.ckpt" }] }),
    'dream is second, 0.12 behind; about 3 more picks of it on such prompts would put it first. First would be, without "cat", jugg.',
  );
  assert.match(told(english, { picks: null }), /even 20 more picks/);
  assert.match(told(english, { picks: 1 }), /one more pick/);
  assert.equal(told(english, { runner_up: "" }), "Nothing: there is no other candidate.");
  assert.equal(told(japanese, {}, "nothing_known"), "このようなプロンプトへの判定なら、どれでも変わります。");
  assert.match(told(chinese, { without: [{ keyword: "cat", checkpoint: "jugg" }] }), /若没有“cat”，jugg 会排第一。$/);
});

test("a name in another direction of writing does not turn its neighbours around", () => {
  assert.match(
    why({ ...GROUNDS, leader: "\u0633\u0645\u0643\u0629" }, english),
    /^\u2068\u0633\u0645\u0643\u0629\u2069 is/,
  );
});

test("what an older server said, or a page remembers of it, is shown as it said it", () => {
  const plan = planFrom({ checkpoints: ["epic"], explanation: "epic alone." });
  assert.equal(explanationInWords(plan, japanese), "epic alone.");
});
