// @ts-check
/**
 * Why these checkpoints, in one sentence of the person's language: what the server says in English too, built from the
 * parts that it gives beside it. Pure.
 */

import { ENDING } from "../lib/checkpoint_name.mjs";

/** Of a name, in letters; its end is kept, which often tells versions apart. */
const LONGEST = 60;

/** Letters and marks that turn the direction of writing, and would turn the words beside them too. */
const TURNS = /[\u0590-\u08ff\u202a-\u202e\ufb1d-\ufefc]/;

/**
 * @param {string[]} checkpoints that are shown, best first
 * @param {Json} parts the server's `explanation_parts`
 * @param {Say} say
 */
export function sentence(checkpoints, { opening, grounds, pinned, problem, problem_parts }, say) {
  const names = checkpoints.map(called);
  // "It" in the languages that say so; a pinned checkpoint may be shown instead of the one that leads.
  const isFirst = ["mostly", "alone"].includes(opening) && grounds?.leader === checkpoints[0];
  const said = say(`opening_${opening}`, {
    first: names[0],
    second: names[1] ?? "",
    all: listed(names, say),
    why: grounds ? why(grounds, say, isFirst ? say("leaderIt") : "") : "",
    problem: problem_parts ?? problem,
  });
  return pinned.length > 0 ? said + say("sentencePinned", { names: listed(pinned.map(called), say) }) : said;
}

/**
 * @param {Json} grounds what the server found, and what that rests on
 * @param {Say} say
 * @param {string} [it] how to call the leader, if not by its name
 */
export function why({ finding, leader, leader_judged, any_prompt, kept, surprised }, say, it) {
  const values = { leader: it || called(leader) };
  if (finding === "nothing_known") return say(any_prompt ? "finding_never_judged" : "finding_nothing_known");
  if (!leader_judged) return say(`unjudged_${finding}`, values);
  const words = kept.map((/** @type {Json} */ { keyword, selected, total }) =>
    say("keptOfWord", { word: apart(keyword), kept: selected, judged: total }),
  );
  const support = words.length > 0 ? say("keptWords", { words: listed(words, say) }) : "";
  return say(`finding_${finding}`, values) + support + (surprised ? say("notAsExpected") : "");
}

/**
 * What would put another one first.
 *
 * @param {Json} explained the server's answer to `explain`
 * @param {Say} say
 */
export function whatWouldChange({ finding, would_change: change }, say) {
  if (!change.runner_up) return say("change_none");
  if (finding === "nothing_known") return say("change_any");
  const picks = change.picks === null ? "never" : change.picks === 1 ? "once" : "picks";
  const said = say(`change_${picks}`, {
    second: called(change.runner_up),
    behind: change.behind.toFixed(2),
    picks: change.picks ?? change.most_picks,
  });
  const left = change.without
    .slice(0, 3)
    .map((/** @type {Json} */ { keyword, checkpoint }) =>
      say("changeWithoutWord", { word: apart(keyword), checkpoint: called(checkpoint) }),
    );
  return left.length > 0 ? said + say("changeWithout", { words: listed(left, say) }) : said;
}

/** @param {string} checkpoint in a sentence its folder would be in the way, and more than a line of it */
function called(checkpoint) {
  const file = /** @type {string} */ (checkpoint.split(/[\\/]/).at(-1));
  const letters = [...(file.replace(ENDING, "") || checkpoint)];
  const all = letters.length <= LONGEST;
  return apart((all ? letters : [...letters.slice(0, LONGEST - 13), "…", ...letters.slice(-12)]).join(""));
}

/** @param {string} text */
function apart(text) {
  return TURNS.test(text) ? `\u2068${text}\u2069` : text;
}

/**
 * @param {string[]} items
 * @param {Say} say
 */
function listed(items, say) {
  const before = items.slice(0, -1).join(say("listComma"));
  return items.length > 1 ? before + say("listAnd") + items.at(-1) : items.join("");
}
