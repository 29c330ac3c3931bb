// @ts-check
/**
 * Why these checkpoints, in one sentence of the person's language. It is built from the parts that the server gives with
 * its own English sentence. Pure.
 */

import { shortNames } from "../lib/checkpoint_name.mjs";
import { shownName } from "../lib/shown_name.mjs";

/** The name of what others on this server taught (`learning/service/sharing.py`). */
const PEOPLE = "people who share";

/** The longest name in characters. The end of a longer one is kept, since it often has the version. */
const LONGEST = 60;

/** Characters of right-to-left scripts, which would change the order of the words around them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\u202a-\u202e\ufb1d-\ufefc]/;

/**
 * @param {string[]} checkpoints of the plan, best first
 * @param {Json} parts the server's `explanation_parts`
 * @param {Translate} t
 */
export function explanationSentence(checkpoints, { opening, grounds, pinned, precedence, problem, problem_parts }, t) {
  const called = displayNames([...checkpoints, ...pinned, ...(grounds ? [grounds.leader] : [])]);
  const names = checkpoints.map((name) => called(name));
  // A pronoun where the language has one; a pinned checkpoint may be first instead of the leader.
  const isFirst = ["mostly", "alone"].includes(opening) && grounds?.leader === checkpoints[0];
  const text = t(`opening_${opening}`, {
    first: names[0],
    second: names[1] ?? "",
    all: joined(names, t),
    why: grounds ? reasonText(grounds, t, called, isFirst ? t("leaderPronoun") : "") : "",
    problem: problem_parts ?? problem,
  });
  const { checkpoint: first = "", best = "", because = "" } = precedence ?? {};
  const order = because ? t(`precedence_${because}`, { first: called(first), best: called(best) }) : "";
  return text + order + (pinned.length > 0 ? t("sentencePinned", { names: joined(pinned.map(called), t) }) : "");
}

/**
 * @param {Json} grounds the server's finding and its evidence
 * @param {Translate} t
 * @param {(name: string) => string} [called] how the text calls a checkpoint, see `displayNames`
 * @param {string} [pronoun] instead of the leader's name
 */
export function reasonText(
  { imported_verdicts, follows_images, taught_by = [], ...grounds },
  t,
  called = displayNames([grounds.leader]),
  pronoun = "",
) {
  const leader = pronoun || called(grounds.leader);
  return (
    findingText(grounds, t, leader) +
    (imported_verdicts ? t("importedVerdicts", { leader, count: imported_verdicts }) : "") +
    (follows_images ? t("followsImages") : "") +
    (taught_by.length > 0 ? t("taughtBy", { names: joined(adoptedNames(taught_by, t), t) }) : "")
  );
}

/**
 * How what was adopted is called: a file by its name, which somebody chose.
 *
 * @param {string[]} names
 * @param {Translate} t
 */
export function adoptedNames(names, t) {
  return names.map((name) => (name === PEOPLE ? t("peopleWhoShare") : isolated(shownName(name))));
}

/**
 * @param {Json} grounds
 * @param {Translate} t
 * @param {string} leader how the text calls it
 */
function findingText({ finding, leader_judged, any_prompt, no_words, kept, surprised }, t, leader) {
  const values = { leader };
  if (finding === "nothing_known") {
    return t(any_prompt ? "finding_never_judged" : no_words ? "finding_no_words" : "finding_nothing_known");
  }
  if (!leader_judged) return t(`unjudged_${finding}`, values);
  const words = kept.map((/** @type {Json} */ { keyword, selected, total }) =>
    t("keptOfWord", { word: isolated(shownName(keyword)), kept: selected, judged: total }),
  );
  const support = words.length > 0 ? t("keptWords", { words: joined(words, t) }) : "";
  return t(`finding_${finding}`, values) + support + (surprised ? t("notAsExpected") : "");
}

/**
 * What would put another checkpoint first.
 *
 * @param {Json} explained the response of `POST explain`
 * @param {Translate} t
 * @param {(name: string) => string} [called] how the text calls a checkpoint, see `displayNames`
 */
export function changeText({ finding, grounds, would_change: change }, t, called = displayNames(namesOf(change))) {
  if (!change.runner_up) return t("change_none");
  if (finding === "nothing_known") return t(grounds?.no_words && !grounds.any_prompt ? "change_words" : "change_any");
  const picks = change.picks === null ? "never" : change.picks === 1 ? "once" : "picks";
  const text = t(`change_${picks}`, {
    second: called(change.runner_up),
    behind: change.behind.toFixed(2),
    picks: change.picks ?? change.most_picks,
  });
  const without = change.without
    .slice(0, 3)
    .map((/** @type {Json} */ { keyword, checkpoint }) =>
      t("changeWithoutWord", { word: isolated(shownName(keyword)), checkpoint: called(checkpoint) }),
    );
  return without.length > 0 ? text + t("changeWithout", { words: joined(without, t) }) : text;
}

/**
 * How a text calls checkpoints that are named together: as briefly as they can be told apart.
 *
 * @param {string[]} names
 * @returns {(name: string) => string}
 */
export function displayNames(names) {
  const short = shortNames(names);
  const cut = new Map([...short].map(([name, text]) => [name, isolated(withoutMiddle(text))]));
  const isCutAlike = new Set(cut.values()).size < new Set(short.values()).size;
  return (name) => (isCutAlike ? isolated(short.get(name) ?? name) : (cut.get(name) ?? name));
}

/** @param {Json} change */
const namesOf = (change) => [change.runner_up, ...change.without.map((/** @type {Json} */ word) => word.checkpoint)];

/** @param {string} name shortened to less than a line */
function withoutMiddle(name) {
  const letters = [...name];
  if (letters.length <= LONGEST) return name;
  return [...letters.slice(0, LONGEST - 13), "…", ...letters.slice(-12)].join("");
}

/** @param {string} text enclosed in Unicode isolates where it is written from right to left */
function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/**
 * @param {string[]} items
 * @param {Translate} t
 */
function joined(items, t) {
  const before = items.slice(0, -1).join(t("listComma"));
  return items.length > 1 ? before + t("listAnd") + items.at(-1) : items.join("");
}
