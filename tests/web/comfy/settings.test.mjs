// The settings dialog follows the server.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DEFINITIONS } from "../../../web/comfy/setting_definitions.mjs";
import { SETTINGS, SettingsMirror } from "../../../web/comfy/settings.mjs";

const HELD = {
  policy: "counts",
  exploit_threshold: 0.6,
  explore_threshold: 0.2,
  kept_loaders: 1,
  kept_loaders_memory_share: 0.4,
};

/** A server that accepts changes unless it refuses them, and a dialog that calls back as ComfyUI's does. */
function arranged({ refuses = "" } = {}) {
  const sent = [];
  const warnings = [];
  const dialogValues = {};
  let held = { ...HELD };
  const server = {
    settings: async () => held,
    changeSettings: async (changes) => {
      sent.push(changes);
      if (refuses) throw new Error(refuses);
      held = { ...held, ...changes };
      return held;
    },
  };
  const dialog = {
    set: async (id, value) => {
      dialogValues[id] = value;
      await mirror.changed(SETTINGS.find((setting) => setting.id === id).field, value);
    },
    warn: (message) => warnings.push(message),
  };
  const mirror = new SettingsMirror(server, () => dialog);
  return { mirror, sent, warnings, dialogValues };
}

test("reading shows the server's values and sends nothing back", async () => {
  const { mirror, sent, dialogValues } = arranged();
  await mirror.read();
  assert.equal(dialogValues["ContextCheckpoint.Policy"], "counts");
  assert.equal(dialogValues["ContextCheckpoint.KeptLoaders"], 1);
  assert.deepEqual(sent, []);
});

test("ComfyUI's own values are not sent before the server's have been read", async () => {
  const { mirror, sent } = arranged();
  await mirror.changed("policy", "bayesian");
  assert.deepEqual(sent, []);
});

test("a change is sent alone", async () => {
  const { mirror, sent } = arranged();
  await mirror.read();
  await mirror.changed("kept_loaders", 0);
  assert.deepEqual(sent, [{ kept_loaders: 0 }]);
});

test("a refused change is reported and set back", async () => {
  const { mirror, sent, warnings, dialogValues } = arranged({
    refuses: "The thresholds are the wrong way round.",
  });
  await mirror.read();
  await mirror.changed("explore_threshold", 0.9);
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ["The thresholds are the wrong way round."],
  );
  assert.equal(dialogValues["ContextCheckpoint.ExploreThreshold"], 0.2);
  assert.equal(sent.length, 1);
});

test("every setting of the server is in the panel, but for the names that are chosen checkpoint by checkpoint", () => {
  const shown = SETTINGS.map(({ field }) => field);
  assert.deepEqual([...shown, "pinned", "banned", "serve_names"].sort(), Object.keys(DEFINITIONS).sort());
});

test("every setting has its default within its own range", () => {
  for (const { id, type, attrs, options, defaultValue } of SETTINGS) {
    if (type === "boolean") assert.equal(typeof defaultValue, "boolean", id);
    else if (options)
      assert.ok(
        options.some(({ value }) => value === defaultValue),
        id,
      );
    else assert.ok(attrs.min <= defaultValue && defaultValue <= attrs.max, id);
  }
});

test("a number that would take effect while it is typed is not in ComfyUI's dialog", async () => {
  const told = [];
  const server = { settings: async () => ({ ...HELD, retention_days: 30 }) };
  const dialog = { set: async (id) => void told.push(id), warn: assert.fail };
  const mirror = new SettingsMirror(server, () => dialog);
  await mirror.read();
  assert.ok(told.includes("ContextCheckpoint.KeptLoaders"));
  const defined = mirror.definitions().map(({ id }) => id);
  for (const ids of [told, defined]) assert.ok(!ids.includes("ContextCheckpoint.RetentionDays"));
});
