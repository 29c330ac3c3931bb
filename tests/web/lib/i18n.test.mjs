// The words, and that every language has them.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { BLIND, SETTINGS, settingText } from "../../../web/comfy/settings.mjs";
import { speaker, speakerFor, speakerFrom } from "../../../web/lib/i18n.mjs";
import { planFrom, strategyInWords } from "../../../web/recommender/plan.mjs";

const locales = new URL("../../../locales/", import.meta.url);
const read = (language, file) => JSON.parse(readFileSync(new URL(`${language}/${file}.json`, locales)));
const languages = readdirSync(locales);
const english = read("en", "main").contextCheckpoint;
const say = speaker(english);
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("whatever a component says has a text, and no text is said by none", () => {
  const web = new URL("../../../web/", import.meta.url);
  const modules = readdirSync(web, { recursive: true }).filter((name) => /\.m?js$/.test(name));
  const source = modules.map((name) => readFileSync(new URL(name.replaceAll("\\", "/"), web), "utf8")).join("\n");
  const said = [...source.matchAll(/\bsay\(\s*"(\w+)"/g)].map(([, key]) => key);
  assert.ok(said.length > 60);
  assert.deepEqual(
    said.filter((key) => !(key in english)),
    [],
  );

  // The others are said by a key that is put together, such as `tab_${name}`.
  const stems = [...source.matchAll(/`(\w*)\$\{[^}]+\}(\w*)`/g)].filter(([, ...ends]) => ends.join("").length > 2);
  const composed = stems.map(([, before, after]) => new RegExp(`^${before}\\w+${after}$`));
  const mentioned = (key) => source.includes(`"${key}"`) || composed.some((pattern) => pattern.test(key));
  assert.deepEqual(
    Object.keys(english).filter((key) => !mentioned(key)),
    [],
  );
});

test("every setting has its texts, and no text is of none", () => {
  const stated = read("en", "settings");
  const ids = [...SETTINGS, BLIND].map(({ id }) => id.replaceAll(".", "_"));
  assert.deepEqual(Object.keys(stated).sort(), ids.sort());
  for (const { name, tooltip } of Object.values(stated)) assert.ok(name && tooltip);
});

test("English, Chinese and Japanese are there", () => {
  assert.deepEqual([...languages].sort(), ["en", "ja", "zh"]);
});

for (const language of languages) {
  test(`${language} says everything that English says, with the same placeholders`, () => {
    const texts = read(language, "main").contextCheckpoint;
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(english).sort());
    for (const [key, text] of Object.entries(texts)) {
      assert.deepEqual(placeholders(text), placeholders(english[key]), key);
      if (language !== "en" && key !== "panel") assert.notEqual(text, english[key], key);
      if (/^(opening|finding|unjudged|change)_/.test(key)) assert.doesNotMatch(text, /\s\s|undefined/, key);
    }
    for (const file of ["main", "settings", "commands", "nodeDefs"]) {
      assert.deepEqual(keysOf(read(language, file)), keysOf(read("en", file)), file);
    }
  });
}

/** All paths of an object, sorted. */
function keysOf(value, path = "") {
  if (typeof value !== "object") return [path];
  return Object.entries(value)
    .flatMap(([key, child]) => keysOf(child, `${path}/${key}`))
    .sort();
}

test("placeholders are filled, also by texts that look like placeholders", () => {
  assert.equal(say("imageBy", { number: 1, checkpoint: "{number}" }), "Image 1, made by {number}");
});

test("what the server says is told in the person's language, down to the reasons in it", () => {
  const chinese = speaker(read("zh", "main").contextCheckpoint);
  const reason = { text: "it is not a GGUF file", key: "no_gguf", values: {} };
  const parts = [
    {
      text: "a.gguf dropped out of this round: it is not a GGUF file.",
      key: "dropped_out",
      values: { name: "a.gguf", problem: [reason] },
    },
    { text: " ", key: "space" },
    { text: "b {it}" },
  ];
  assert.equal(chinese("{it}", { it: parts }), "a.gguf 退出此轮：不是 GGUF 文件。b {it}");
  const error = Object.assign(new Error("in English"), { parts: [reason] });
  assert.equal(chinese("notSaved", { reason: error }), "未保存：不是 GGUF 文件");
  // A newer server may say what this page has no text for; not every error is the server's.
  assert.equal(chinese("{it}", { it: [{ text: "news", key: "of_tomorrow" }] }), "news");
  assert.equal(chinese("{it}", { it: new Error("in English") }), "in English");
});

test("a missing translation stays English", async () => {
  const all = { en: read("en", "main"), ja: { contextCheckpoint: { pick: "選ぶ" } } };
  const japanese = await speakerFor(async () => Response.json(all), "ja");
  assert.equal(japanese("pick"), "選ぶ");
  assert.equal(japanese("reject"), "Reject");
  const swedish = await speakerFor(async () => Response.json(all), "sv");
  assert.equal(swedish("pick"), "Pick");
});

test("without an answer nothing breaks", async () => {
  const lost = await speakerFor(() => Promise.reject(new Error("gone")), "ja");
  assert.equal(lost("pick"), "pick");
  const { language } = await speakerFrom(() => Promise.reject(new Error("gone")), ["ja"]);
  assert.equal(language, "en");
});

test("the settings are told in the person's language too", async () => {
  const all = { ja: read("ja", "main") };
  all.ja.settings = { ...read("ja", "settings"), Other_Setting: { name: "x" } };
  const japanese = await speakerFor(async () => Response.json(all), "ja");
  assert.equal(settingText(BLIND, "name", japanese), read("ja", "settings").ContextCheckpoint_Blind.name);
});

test("a page of its own takes the first language that there is", async () => {
  const files = async (path) => {
    const [, , language, file] = path.split("/");
    if (!languages.includes(language)) return new Response("", { status: 404 });
    return Response.json(read(language, file.replace(".json", "")));
  };
  const spoken = async (...preferred) => {
    const { say: spoken, language } = await speakerFrom(files, preferred);
    return [language, spoken("pick")];
  };
  assert.deepEqual(await spoken("sv", "zh-CN", "en"), ["zh", "选取"]);
  assert.deepEqual(await spoken("en-GB", "zh"), ["en", "Pick"]);
  assert.deepEqual(await spoken("sv"), ["en", "Pick"]);
});

test("the strategy is told in words with the number of checkpoints that are really used", () => {
  const words = (record) => strategyInWords(planFrom(record), say);
  assert.match(words({ strategy: "explore", checkpoints: ["a", "b"] }), /2 checkpoints/);
  assert.match(words({ strategy: "explore", checkpoints: ["a"] }), /only checkpoint/);
  assert.match(words({ strategy: "exploit", checkpoints: ["a"], fallback: true }), /fallback/);
});
