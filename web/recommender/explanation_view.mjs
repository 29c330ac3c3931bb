// @ts-check
/** Why checkpoints would be recommended: the response of `POST explain` in words. */

import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { changeText, displayNames, reasonText } from "./explanation_text.mjs";
import { progressText } from "./plan.mjs";

/** More would be too long for a node. */
const MOST_CHECKPOINTS = 3;
const MOST_WORDS = 6;

/**
 * @param {Json} explained
 * @param {Translate} t
 */
export function explanationView(explained, t) {
  const names = explained.checkpoints.map((/** @type {Json} */ row) => row.checkpoint);
  const called = displayNames(names);
  const short = shortNames(names);
  const known = explained.keywords.filter((/** @type {Json} */ word) => word.rounds > 0);
  const words = known.map((/** @type {Json} */ word) => `${shownName(word.text)} (${rounded(word.rounds)})`);
  return element("section", { "aria-label": t("whyNow") }, [
    element("p", { class: "cc-note", text: t("whyNow") }),
    element("p", {
      class: "cc-summary",
      text: explained.grounds ? reasonText(explained.grounds, t, called) : explained.summary,
    }),
    explained.grounds?.no_words
      ? null
      : element("p", {
          text: words.length > 0 ? t("whyWords", { words: firstWords(words) }) : t("whyNoWords"),
        }),
    explained.progress ? element("p", { text: progressText(explained.progress, t) }) : null,
    element("p", { class: "cc-note", text: t("whyComparisons", { count: rounded(explained.rounds) }) }),
    element(
      "ol",
      { class: "cc-checkpoints", "aria-label": t("planned") },
      explained.checkpoints.slice(0, MOST_CHECKPOINTS).map((/** @type {Json} */ row) => checkpoint(row, short, t)),
    ),
    element("p", { text: t("whyChange", { what: changeText(explained, t, called) }) }),
  ]);
}

/**
 * @param {Json} row
 * @param {Map<string, string>} short
 * @param {Translate} t
 */
function checkpoint(row, short, t) {
  const line = (/** @type {string} */ key, /** @type {Json[]} */ effects) =>
    effects.length > 0
      ? element("p", { text: t(key, { words: firstWords(effects.map(({ keyword }) => shownName(keyword))) }) })
      : null;
  const overall = row.total > 0 ? t("whyOverall", { kept: row.selected, judged: row.total }) : t("whyNever");
  return element("li", {}, [
    nameElement(row.checkpoint, short),
    element("p", { class: "cc-note", text: overall }),
    line("whyFor", row.speak_for),
    line("whyAgainst", row.speak_against),
  ]);
}

/** @param {string[]} words */
function firstWords(words) {
  return words.slice(0, MOST_WORDS).join(", ") + (words.length > MOST_WORDS ? ", …" : "");
}

/** @param {number} number a sum of weights, so it need not be whole */
function rounded(number) {
  return Math.round(number * 10) / 10;
}
