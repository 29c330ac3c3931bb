// @ts-check
/**
 * A small plot of one share over the rounds: a line that is told in words for those who do not see it, and as a
 * table for those who want the numbers. One line per plot, so that no colour has to tell lines apart.
 */

import { element } from "../lib/dom.mjs";
import { percent } from "../recommender/plan.mjs";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 90;
/** Room left of the lines for their numbers, and around them for a round point at an edge. */
const LEFT = 34;
const EDGE = 5;
/** Fewer points than this are marked each; a line of more is clearer without. */
const MARKED = 25;

/**
 * @param {string} name
 * @param {string} help
 * @param {Share[]} line
 * @param {Say} say
 */
export function plot(name, help, line, say) {
  const known = line.filter((share) => share.value !== null);
  const last = known.at(-1);
  return element("figure", { class: "cc-plot" }, [
    element("figcaption", { title: help }, [
      element("span", { text: name }),
      element("strong", { text: last ? percent(/** @type {number} */ (last.value)) : "–" }),
    ]),
    drawn(line, said(name, known, say)),
    element("details", {}, [element("summary", { text: say("asTable") }), numbers(name, line, say)]),
  ]);
}

/**
 * @param {string} name
 * @param {Share[]} known
 * @param {Say} say
 */
function said(name, known, say) {
  if (known.length === 0) return `${name}: –`;
  const [first, last] = [known[0], /** @type {Share} */ (known.at(-1))];
  const count = first.to - first.from + 1;
  return say("plotSaid", {
    name,
    first: percent(/** @type {number} */ (first.value)),
    last: percent(/** @type {number} */ (last.value)),
    points: count === 1 ? say("plotPoint") : say("plotPoints", { count }),
  });
}

/**
 * @param {Share[]} line
 * @param {string} label
 */
function drawn(line, label) {
  const rounds = line.at(-1)?.to ?? 1;
  const points = line
    .filter((share) => share.value !== null)
    .map((share) => ({
      x: across((share.from + share.to) / 2, rounds),
      y: up(/** @type {number} */ (share.value)),
    }));
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const value of [0, 0.5, 1]) {
    picture.append(
      shape("line", { class: "cc-grid", x1: LEFT, x2: WIDTH - EDGE, y1: up(value), y2: up(value) }),
      shape("text", { class: "cc-tick", x: LEFT - 6, y: up(value) + 3 }, percent(value)),
    );
  }
  picture.append(shape("polyline", { class: "cc-line", points: points.map(({ x, y }) => `${x},${y}`).join(" ") }));
  if (points.length < MARKED) {
    picture.append(...points.map(({ x, y }) => shape("circle", { class: "cc-dot", cx: x, cy: y, r: 2.5 })));
  }
  return picture;
}

/**
 * @param {number} round
 * @param {number} rounds
 */
function across(round, rounds) {
  const room = WIDTH - LEFT - 2 * EDGE;
  return Math.round((LEFT + EDGE + (rounds > 1 ? ((round - 1) / (rounds - 1)) * room : room / 2)) * 10) / 10;
}

/** @param {number} value in 0..1 */
function up(value) {
  return Math.round((EDGE + (1 - value) * (HEIGHT - 2 * EDGE)) * 10) / 10;
}

/**
 * @param {string} name
 * @param {Share[]} line
 * @param {Say} say
 */
function numbers(name, line, say) {
  const row = (/** @type {Share} */ { from, to, value }) =>
    element("tr", {}, [
      element("th", { scope: "row", text: from === to ? String(from) : `${from}–${to}` }),
      element("td", { class: "cc-numeric", text: value === null ? "–" : percent(value) }),
    ]);
  // A scrolling region has to be reached by the keyboard too.
  return element("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": name }, [
    element("table", {}, [
      element("thead", {}, [
        element("tr", {}, [
          element("th", { scope: "col", text: say("rounds") }),
          element("th", { scope: "col", class: "cc-numeric", text: name }),
        ]),
      ]),
      element("tbody", {}, line.map(row)),
    ]),
  ]);
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}
