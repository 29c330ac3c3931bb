// @ts-check
/**
 * What a checkpoint is drawn with, and where each value comes from: a line for each source. For the nodes and the panel,
 * which get the same shape from a node and from the server.
 */

import { shortNames } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";

/** In the order in which they are shown; the size is two of them. */
const NAMES = ["steps", "cfg", "sampler", "scheduler", "width", "clip_skip", "before", "after", "negative"];

/** ComfyUI's own words, which need no others. */
const PLAIN = ["sampler", "scheduler"];

/** A longer text is cut: it is whole in the panel. */
const LONGEST = 80;

/**
 * The known settings by their sources, in the order in which they are shown. Pure.
 *
 * @param {Json} branch `{ settings, sources, source_parts }`; unknown settings are null or left out
 * @param {Translate} t
 * @returns {string[]}
 */
export function settingsLines({ settings = {}, sources = {}, source_parts: parts = {} }, t) {
  /** @type {Map<string, { source: unknown, texts: string[] }>} */
  const lines = new Map();
  for (const name of NAMES) {
    if (settings[name] === null || settings[name] === undefined) continue;
    const source = String(sources[name] ?? "");
    /** @type {{ source: unknown, texts: string[] }} */
    const line = lines.get(source) ?? { source: parts[name] ?? source, texts: [] };
    line.texts.push(settingText(name, settings, t));
    lines.set(source, line);
  }
  return [...lines.values()].map(({ source, texts }) =>
    t("settingsFrom", { settings: texts.join(t("listComma")), source }),
  );
}

/**
 * The LoRAs of a branch in one line; empty if it has none. Pure.
 *
 * @param {Json} branch `{ loras }`: name, strength on the model, strength on the text encoder
 * @param {Translate} t
 */
export function lorasLine({ loras = [] }, t) {
  const entries = /** @type {[string, number, number][]} */ (loras);
  if (entries.length === 0) return "";
  const short = shortNames(entries.map(([name]) => name));
  const texts = entries.map(([name, model, clip]) => `${short.get(name)} ${strengthsText(model, clip)}`);
  return t("setting_loras", { value: texts.join(t("listComma")) });
}

/**
 * @param {Json} branch
 * @param {Translate} t
 * @param {string} [emptyNote] shown where nothing is known
 */
export function settingsElement(branch, t, emptyNote) {
  const lines = [...settingsLines(branch, t), lorasLine(branch, t)].filter(Boolean);
  const problems = (branch.problem_parts ?? []).map((/** @type {unknown} */ problem) =>
    element("p", { class: "cc-warning", text: t("settingsProblem", { problem }) }),
  );
  return element("div", { class: "cc-branch-settings" }, [
    ...lines.map((text) => element("p", { text })),
    lines.length === 0 && emptyNote ? element("p", { text: emptyNote }) : null,
    ...problems,
  ]);
}

/**
 * @param {string} name
 * @param {Json} settings
 * @param {Translate} t
 */
function settingText(name, settings, t) {
  const value = settings[name];
  if (name === "width") return `${value} × ${settings.height ?? "?"}`;
  const text = typeof value === "string" ? shortened(shownName(value)) : value;
  return PLAIN.includes(name) ? text : t(`setting_${name}`, { value: text });
}

/**
 * @param {number} model
 * @param {number} clip
 */
export function strengthsText(model, clip) {
  return (model === clip ? [model] : [model, clip]).map(rounded).join(":");
}

/** @param {number} strength */
export function rounded(strength) {
  return String(Math.round(strength * 100) / 100);
}

/** @param {string} text */
export function shortened(text) {
  const letters = [...text];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : text;
}
