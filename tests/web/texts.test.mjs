// The words, and that every language has them.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { planFrom, strategyInWords } from "../../web/plan.mjs";
import { BLIND, SETTINGS, settingText } from "../../web/settings.mjs";
import { ENGLISH, speaker, speakerFor, speakerFrom } from "../../web/texts.mjs";

const locales = new URL("../../locales/", import.meta.url);
const read = (language, file) => JSON.parse(readFileSync(new URL(`${language}/${file}.json`, locales)));
const languages = readdirSync(locales);
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("the English texts are the ones in the locale file", () => {
  assert.deepEqual(read("en", "main").contextCheckpoint, ENGLISH);
});

test("the English settings are the ones in the locale file", () => {
  const expected = Object.fromEntries(
    [...SETTINGS, BLIND].map(({ id, name, tooltip }) => [id.replaceAll(".", "_"), { name, tooltip }]),
  );
  const stated = Object.fromEntries(
    Object.entries(read("en", "settings")).map(([id, { name, tooltip }]) => [id, { name, tooltip }]),
  );
  assert.deepEqual(stated, expected);
});

test("English, Chinese and Japanese are there", () => {
  assert.deepEqual([...languages].sort(), ["en", "ja", "zh"]);
});

for (const language of languages) {
  test(`${language} says everything that English says, with the same placeholders`, () => {
    const texts = read(language, "main").contextCheckpoint;
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(ENGLISH).sort());
    for (const [key, text] of Object.entries(texts)) {
      assert.deepEqual(placeholders(text), placeholders(ENGLISH[key]), key);
      if (language !== "en" && key !== "panel") assert.notEqual(text, ENGLISH[key], key);
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
  assert.equal(speaker()("imageBy", { number: 1, checkpoint: "{number}" }), "Image 1, made by {number}");
});

test("a missing translation stays English", () => {
  assert.equal(speaker({ pick: "選ぶ" })("pick"), "選ぶ");
  assert.equal(speaker({ pick: "選ぶ" })("reject"), "Reject");
});

test("without an answer the texts are English", async () => {
  const say = await speakerFor(() => Promise.reject(new Error("gone")), "ja");
  assert.equal(say("pick"), "Pick");
});

test("the settings are told in the person's language too", async () => {
  const all = { ja: read("ja", "main") };
  all.ja.settings = { ...read("ja", "settings"), Other_Setting: { name: "x" } };
  const say = await speakerFor(async () => Response.json(all), "ja");
  assert.equal(settingText(BLIND, "name", say), read("ja", "settings").ContextCheckpoint_Blind.name);
  assert.equal(settingText(BLIND, "name", speaker()), BLIND.name);
});

test("a page of its own takes the first language that there is", async () => {
  const files = async (path) => {
    const [, , language, file] = path.split("/");
    if (!languages.includes(language)) return new Response("", { status: 404 });
    return Response.json(read(language, file.replace(".json", "")));
  };
  const spoken = async (...preferred) => {
    const { say, language } = await speakerFrom(files, preferred);
    return [language, say("pick")];
  };
  assert.deepEqual(await spoken("sv", "zh-CN", "en"), ["zh", "选取"]);
  assert.deepEqual(await spoken("en-GB", "zh"), ["en", "Pick"]);
  assert.deepEqual(await spoken("sv"), ["en", "Pick"]);
});

test("the strategy is told in words with the number of checkpoints that are really used", () => {
  const words = (record) => strategyInWords(planFrom(record), speaker());
  assert.match(words({ strategy: "explore", checkpoints: ["a", "b"] }), /2 checkpoints/);
  assert.match(words({ strategy: "explore", checkpoints: ["a"] }), /only checkpoint/);
  assert.match(words({ strategy: "exploit", checkpoints: ["a"], fallback: true }), /fallback/);
});
