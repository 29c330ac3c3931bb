// @ts-check
/**
 * A small plot of one share over the generations: a line, its summary in words for screen readers, and a table of the
 * numbers. One line per plot, so that no colours have to be distinguished.
 */

import { element } from "../lib/dom.mjs";
import { percent } from "../recommender/plan.mjs";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 90;
/** Room to the left of the lines for their numbers, and around them for a dot at an edge. */
const LEFT = 34;
const EDGE = 5;
/** Up to this many points each get a dot; a line with more is clearer without. */
const MOST_DOTS = 25;

/**
 * @param {string} name
 * @param {string} help
 * @param {Share[]} line
 * @param {Translate} t
 */
export function plot(name, help, line, t) {
  const known = line.filter((share) => share.value !== null);
  const last = known.at(-1);
  return element("figure", { class: "cc-plot" }, [
    element("figcaption", { title: help }, [
      element("span", { text: name }),
      element("strong", { text: last ? percent(/** @type {number} */ (last.value)) : "–" }),
    ]),
    curve(line, summary(name, known, t)),
    element("details", {}, [element("summary", { text: t("asTable") }), valueTable(name, line, t)]),
  ]);
}

/**
 * @param {string} name
 * @param {Share[]} known
 * @param {Translate} t
 */
function summary(name, known, t) {
  if (known.length === 0) return `${name}: –`;
  const [first, last] = [known[0], /** @type {Share} */ (known.at(-1))];
  const count = first.to - first.from + 1;
  return t("plotSummary", {
    name,
    first: percent(/** @type {number} */ (first.value)),
    last: percent(/** @type {number} */ (last.value)),
    points: count === 1 ? t("oneGeneration") : t("generationCount", { count }),
  });
}

/**
 * @param {Share[]} line
 * @param {string} label
 */
function curve(line, label) {
  const generations = line.at(-1)?.to ?? 1;
  const points = line
    .filter((share) => share.value !== null)
    .map((share) => ({
      x: across((share.from + share.to) / 2, generations),
      y: up(/** @type {number} */ (share.value)),
    }));
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const value of [0, 0.5, 1]) {
    svg.append(
      shape("line", { class: "cc-grid", x1: LEFT, x2: WIDTH - EDGE, y1: up(value), y2: up(value) }),
      shape("text", { class: "cc-tick", x: LEFT - 6, y: up(value) + 3 }, percent(value)),
    );
  }
  svg.append(shape("polyline", { class: "cc-line", points: points.map(({ x, y }) => `${x},${y}`).join(" ") }));
  if (points.length < MOST_DOTS) {
    svg.append(...points.map(({ x, y }) => shape("circle", { class: "cc-dot", cx: x, cy: y, r: 2.5 })));
  }
  return svg;
}

/**
 * @param {number} generation
 * @param {number} generations
 */
function across(generation, generations) {
  const room = WIDTH - LEFT - 2 * EDGE;
  return (
    Math.round((LEFT + EDGE + (generations > 1 ? ((generation - 1) / (generations - 1)) * room : room / 2)) * 10) / 10
  );
}

/** @param {number} value in 0..1 */
function up(value) {
  return Math.round((EDGE + (1 - value) * (HEIGHT - 2 * EDGE)) * 10) / 10;
}

/**
 * @param {string} name
 * @param {Share[]} line
 * @param {Translate} t
 */
function valueTable(name, line, t) {
  const row = (/** @type {Share} */ { from, to, value }) =>
    element("tr", {}, [
      element("th", { scope: "row", text: from === to ? String(from) : `${from}–${to}` }),
      element("td", { class: "cc-numeric", text: value === null ? "–" : percent(value) }),
    ]);
  // The keyboard has to reach a scrolling region too.
  return element("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": name }, [
    element("table", {}, [
      element("thead", {}, [
        element("tr", {}, [
          element("th", { scope: "col", text: t("generations") }),
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
  const created = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, String(value));
  if (text !== undefined) created.textContent = text;
  return created;
}
