// @ts-check
/**
 * The LoRAs of a plan: each once, with the checkpoints that it is for and why, then what is said of all. What a run says
 * of each branch repeats itself where checkpoints have the same LoRAs.
 */

import { shortNames } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { messageText } from "../lib/i18n.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { shortened, strengthsText } from "./branch_settings.mjs";

/** A longer name is cut in its middle: its beginning says what it is, its end which version. */
const LONGEST_NAME = 34;

/**
 * @typedef {object} ShownLora
 * @property {string} name
 * @property {string} strengths
 * @property {string[]} checkpoints that it is for; empty where it is for all
 * @property {string[]} reasons
 */

/**
 * What is shown of the branches of a plan. Pure.
 *
 * @param {Json[]} branches `{ checkpoint, loras, trigger_words, reason_parts }`
 * @param {Translate} t
 * @returns {{ loras: ShownLora[], without: string[], words: string, reasons: string[] }} `without`: checkpoints that
 *   have none, where others have some
 */
export function lorasOf(branches, t) {
  /** @type {Map<string, ShownLora>} */
  const loras = new Map();
  for (const branch of branches) {
    for (const [name, model, clip] of branch.loras ?? []) {
      const strengths = strengthsText(model, clip);
      const key = `${strengths} ${name}`;
      /** @type {ShownLora} */
      const lora = loras.get(key) ?? { name, strengths, checkpoints: [], reasons: [] };
      lora.checkpoints.push(branch.checkpoint);
      loras.set(key, lora);
    }
  }
  const shown = [...loras.values()];
  const reasons = new Set();
  for (const part of branches.flatMap(({ reason_parts: parts = [] }) => parts)) {
    const about = shown.filter(({ name }) => part[0]?.values?.name === shownName(name) && part.length === 1);
    for (const { reasons: own } of about) own.push(withoutName(part[0], t));
    if (about.length === 0) reasons.add(messageText(t, part));
  }
  for (const lora of shown) {
    lora.reasons = [...new Set(lora.reasons)];
    if (lora.checkpoints.length === branches.length) lora.checkpoints = [];
  }
  const words = new Set(branches.flatMap(({ trigger_words: own = [] }) => own));
  const none = branches.filter(({ loras: own = [] }) => own.length === 0).map(({ checkpoint }) => checkpoint);
  return {
    loras: shown,
    without: shown.length > 0 ? none : [],
    words: [...words].map((word) => shownName(String(word))).join(t("listComma")),
    reasons: /** @type {string[]} */ ([...reasons]),
  };
}

/**
 * @param {Json[]} branches
 * @param {Translate} t
 */
export function lorasView(branches, t) {
  const { loras, without, words, reasons } = lorasOf(branches, t);
  const short = shortNames(loras.map(({ name }) => name));
  const checkpoints = shortNames(branches.map(({ checkpoint }) => checkpoint));
  const rows = loras.map((lora) =>
    element("li", {}, [
      element("bdi", { class: "cc-name", text: cut(short.get(lora.name) ?? ""), title: shownName(lora.name) }),
      element("span", { text: ` ${lora.strengths}` }),
      element("div", { class: "cc-branch-settings" }, [
        lora.checkpoints.length > 0 ? listed("lorasFor", lora.checkpoints, checkpoints, t) : null,
        ...lora.reasons.map((text) => element("p", { class: "cc-summary", text })),
      ]),
    ]),
  );
  return element("div", {}, [
    rows.length > 0
      ? element("ul", { class: "cc-loras", "aria-label": t("lorasOfPlan") }, rows)
      : element("p", { text: t("lorasNone") }),
    element("div", { class: "cc-branch-settings" }, [
      without.length > 0 ? listed("lorasNoneFor", without, checkpoints, t) : null,
      words ? element("p", { text: t("triggerWords", { words: shortened(words) }), title: words }) : null,
      ...reasons.map((text) => element("p", { text })),
    ]),
  ]);
}

/**
 * A name that is not too long for a node. Pure.
 *
 * @param {string} name
 */
export function cut(name) {
  const letters = [...name];
  if (letters.length <= LONGEST_NAME) return name;
  const end = Math.floor(LONGEST_NAME / 3);
  return `${letters.slice(0, LONGEST_NAME - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}

/**
 * @param {string} key
 * @param {string[]} names
 * @param {Map<string, string>} short
 * @param {Translate} t
 */
function listed(key, names, short, t) {
  const text = [...new Set(names)].map((name) => cut(short.get(name) ?? "")).join(t("listComma"));
  return element("p", { text: t(key, { checkpoints: text }), title: names.map(shownName).join("\n") });
}

/**
 * A reason under the name of its LoRA, which it begins with.
 *
 * @param {Json} part
 * @param {Translate} t
 */
function withoutName(part, t) {
  const named = String(part.values.name);
  const text = messageText(t, [part]);
  return text.startsWith(named) ? text.slice(named.length).replace(/^\s*[:：]\s*/, "") : text;
}
