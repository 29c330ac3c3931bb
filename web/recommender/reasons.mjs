// @ts-check
/** Why checkpoints would be recommended: the answer of `explain` in words. */

import { nameElement } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { whatWouldChange, why } from "./sentence.mjs";

/** More would not be read on a node. */
const MOST_CHECKPOINTS = 3;
const MOST_WORDS = 6;

/**
 * @param {Json} explained
 * @param {Say} say
 */
export function reasons(explained, say) {
  const heard = explained.keywords.filter((/** @type {Json} */ word) => word.rounds > 0);
  const words = heard.map((/** @type {Json} */ word) => `${word.text} (${rounded(word.rounds)})`);
  return element("section", { "aria-label": say("whyNow") }, [
    element("p", { class: "cc-note", text: say("whyNow") }),
    element("p", {
      class: "cc-summary",
      text: explained.grounds ? why(explained.grounds, say) : explained.summary,
    }),
    element("p", {
      text: words.length > 0 ? say("whyWords", { words: some(words) }) : say("whyNoWords"),
    }),
    element("p", { class: "cc-note", text: say("whyRounds", { count: rounded(explained.rounds) }) }),
    element(
      "ol",
      { class: "cc-checkpoints", "aria-label": say("planned") },
      explained.checkpoints.slice(0, MOST_CHECKPOINTS).map((/** @type {Json} */ row) => checkpoint(row, say)),
    ),
    element("p", { text: say("whyChange", { what: whatWouldChange(explained, say) }) }),
  ]);
}

/**
 * @param {Json} row
 * @param {Say} say
 */
function checkpoint(row, say) {
  const line = (/** @type {string} */ key, /** @type {Json[]} */ found) =>
    found.length > 0 ? element("p", { text: say(key, { words: some(found.map(({ keyword }) => keyword)) }) }) : null;
  const overall = row.total > 0 ? say("whyOverall", { kept: row.selected, judged: row.total }) : say("whyNever");
  return element("li", {}, [
    nameElement(row.checkpoint),
    element("p", { class: "cc-note", text: overall }),
    line("whyFor", row.speak_for),
    line("whyAgainst", row.speak_against),
  ]);
}

/** @param {string[]} words */
function some(words) {
  return words.slice(0, MOST_WORDS).join(", ") + (words.length > MOST_WORDS ? ", …" : "");
}

/** @param {number} number weighted rounds are not whole */
function rounded(number) {
  return Math.round(number * 10) / 10;
}
