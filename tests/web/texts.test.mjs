// The words, and that every language has them.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { planFrom, strategyInWords } from "../../web/plan.mjs";
import { BLIND, SETTINGS } from "../../web/settings.mjs";
import { ENGLISH, speaker, speakerFor } from "../../web/texts.mjs";

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

for (const language of languages) {
  test(`${language} says everything that English says, with the same placeholders`, () => {
    const texts = read(language, "main").contextCheckpoint;
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(ENGLISH).sort());
    for (const [key, text] of Object.entries(texts)) {
      assert.deepEqual(placeholders(text), placeholders(ENGLISH[key]), key);
    }
    for (const file of ["settings", "commands"]) {
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

test("the strategy is told in words with the number of checkpoints that are really used", () => {
  const words = (record) => strategyInWords(planFrom(record), speaker());
  assert.match(words({ strategy: "explore", checkpoints: ["a", "b"] }), /2 checkpoints/);
  assert.match(words({ strategy: "explore", checkpoints: ["a"] }), /only checkpoint/);
  assert.match(words({ strategy: "exploit", checkpoints: ["a"], fallback: true }), /fallback/);
});
