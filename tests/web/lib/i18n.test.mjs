// The texts, and that every language has them.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { BLIND, SETTINGS, settingText } from "../../../web/comfy/settings.mjs";
import { comfyTranslator, fileTranslator, messageText, translator } from "../../../web/lib/i18n.mjs";
import { planFrom, strategyText } from "../../../web/recommender/plan.mjs";

const locales = new URL("../../../locales/", import.meta.url);
const read = (language, file) => JSON.parse(readFileSync(new URL(`${language}/${file}.json`, locales)));
const languages = readdirSync(locales);
const english = read("en", "main").contextCheckpoint;
const t = translator(english);
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("every key in a component has a text, and every text is used", () => {
  const web = new URL("../../../web/", import.meta.url);
  const modules = readdirSync(web, { recursive: true }).filter((name) => /\.m?js$/.test(name));
  const source = modules.map((name) => readFileSync(new URL(name.replaceAll("\\", "/"), web), "utf8")).join("\n");
  const keys = [...source.matchAll(/\bt\(\s*"(\w+)"/g)].map(([, key]) => key);
  assert.ok(keys.length > 60);
  assert.deepEqual(
    keys.filter((key) => !(key in english)),
    [],
  );

  // The other keys are composed, such as `tab_${name}`.
  const stems = [...source.matchAll(/`(\w*)\$\{[^}]+\}(\w*)`/g)].filter(([, ...ends]) => ends.join("").length > 2);
  const composed = stems.map(([, before, after]) => new RegExp(`^${before}\\w+${after}$`));
  const mentioned = (key) => source.includes(`"${key}"`) || composed.some((pattern) => pattern.test(key));
  assert.deepEqual(
    Object.keys(english).filter((key) => !mentioned(key)),
    [],
  );
});

test("every setting has its texts, and every text has its setting", () => {
  const stated = read("en", "settings");
  const ids = [...SETTINGS, BLIND].map(({ id }) => id.replaceAll(".", "_"));
  assert.deepEqual(Object.keys(stated).sort(), ids.sort());
  for (const { name, tooltip } of Object.values(stated)) assert.ok(name && tooltip);
});

test("the languages are English, Chinese and Japanese", () => {
  assert.deepEqual([...languages].sort(), ["en", "ja", "zh"]);
});

for (const language of languages) {
  test(`${language} has every text that English has, with the same placeholders`, () => {
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
  assert.equal(t("imageBy", { number: 1, checkpoint: "{number}" }), "Image 1, made by {number}");
});

test("a message of the server is translated, including the reasons in it", () => {
  const chinese = translator(read("zh", "main").contextCheckpoint);
  const reason = { text: "it is not a GGUF file", key: "no_gguf", values: {} };
  const parts = [
    {
      text: "a.gguf dropped out of this generation: it is not a GGUF file.",
      key: "dropped_out",
      values: { name: "a.gguf", problem: [reason] },
    },
    { text: " ", key: "space" },
    { text: "b {message}" },
  ];
  assert.equal(messageText(chinese, parts), "a.gguf 退出此次生成：不是 GGUF 文件。b {message}");
  const error = Object.assign(new Error("in English"), { parts: [reason] });
  assert.equal(chinese("notSaved", { reason: error }), "未保存：不是 GGUF 文件");
  // A newer server may send a message that has no text here; not every error is the server's.
  assert.equal(messageText(chinese, [{ text: "news", key: "of_tomorrow" }]), "news");
  assert.equal(messageText(chinese, new Error("in English")), "in English");
});

test("a missing translation stays English", async () => {
  const all = { en: read("en", "main"), ja: { contextCheckpoint: { pick: "選ぶ" } } };
  const japanese = await comfyTranslator(async () => Response.json(all), "ja");
  assert.equal(japanese("pick"), "選ぶ");
  assert.equal(japanese("reject"), "Reject");
  const swedish = await comfyTranslator(async () => Response.json(all), "sv");
  assert.equal(swedish("pick"), "Pick");
});

test("without a response the keys are shown", async () => {
  const lost = await comfyTranslator(() => Promise.reject(new Error("gone")), "ja");
  assert.equal(lost("pick"), "pick");
  const { language } = await fileTranslator(() => Promise.reject(new Error("gone")), ["ja"]);
  assert.equal(language, "en");
});

test("the settings are translated too", async () => {
  const all = { ja: read("ja", "main") };
  all.ja.settings = { ...read("ja", "settings"), Other_Setting: { name: "x" } };
  const japanese = await comfyTranslator(async () => Response.json(all), "ja");
  assert.equal(settingText(BLIND, "name", japanese), read("ja", "settings").ContextCheckpoint_Blind.name);
});

test("the standalone page takes the first preferred language that exists", async () => {
  const files = async (path) => {
    const [, , language, file] = path.split("/");
    if (!languages.includes(language)) return new Response("", { status: 404 });
    return Response.json(read(language, file.replace(".json", "")));
  };
  const spoken = async (...preferred) => {
    const { t: spoken, language } = await fileTranslator(files, preferred);
    return [language, spoken("pick")];
  };
  assert.deepEqual(await spoken("sv", "zh-CN", "en"), ["zh", "选取"]);
  assert.deepEqual(await spoken("en-GB", "zh"), ["en", "Pick"]);
  assert.deepEqual(await spoken("sv"), ["en", "Pick"]);
});

test("the strategy in words has the number of checkpoints that are used", () => {
  const words = (record) => strategyText(planFrom(record), t);
  assert.match(words({ strategy: "explore", checkpoints: ["a", "b"] }), /2 checkpoints/);
  assert.match(words({ strategy: "explore", checkpoints: ["a"] }), /only checkpoint/);
  assert.match(words({ strategy: "exploit", checkpoints: ["a"], fallback: true }), /fallback/);
});
