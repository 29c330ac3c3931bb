// @ts-check
/**
 * The map of preferences: keywords by checkpoints, a mark for each pair, and on a press the verdicts behind it. It has as
 * many columns as there is room for and turns the others like pages, so that nothing scrolls sideways. Separate from the
 * tab, which asks the server, and from what the map holds, which is pure.
 */

import { formatNumber } from "../components/columns.mjs";
import { wilsonInterval } from "../components/wilson_interval.mjs";
import { shortNames } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { percent } from "../recommender/plan.mjs";
import { mapOf, markOf } from "./preference_map.mjs";

/** Words at first, and with each press for more. */
const PAGE = 15;

/** Of a mark's cell, and of the column of keywords at least. */
const CELL_PX = 34;
const KEYWORD_PX = 112;

/** A mark without and with all that can be known. */
const LEAST_MARK_PX = 6;
const MOST_MARK_PX = 24;

/** A longer name is cut in the middle: the whole is its title. */
const LONGEST_NAME = 22;

/** @typedef {import("./preference_map.mjs").Pair} Pair */
/** @typedef {import("./preference_map.mjs").MapRow} MapRow */

export class PreferenceMap {
  #t;
  #evidence;
  #map = mapOf([]);
  #short = shortNames([]);
  #words = PAGE;
  #first = 0;
  #columns = 0;
  #body = element("tbody");
  #head = element("tr");
  #table;
  #frame = element("div", { class: "cc-table" });
  #range = element("span", { role: "status" });
  #before;
  #after;
  #paging;
  #more;
  #note;
  #legend;

  /**
   * @param {Translate} t
   * @param {(pair: any) => Node} evidence what a press shows
   */
  constructor(t, evidence) {
    this.#t = t;
    this.#evidence = evidence;
    this.#table = element("table", { class: "cc-map", "aria-label": t("pairs") }, [
      element("thead", {}, [this.#head]),
      this.#body,
    ]);
    this.#frame.append(this.#table);
    this.#table.addEventListener("keydown", (pressed) => this.#pressed(pressed));
    this.#before = button(t("earlierRows"), () => this.#turn(-this.#columns));
    this.#after = button(t("laterRows"), () => this.#turn(this.#columns));
    this.#paging = element("div", { class: "cc-paging" }, [this.#before, this.#range, this.#after]);
    this.#more = button(t("mapMore"), () => {
      this.#words += PAGE;
      this.#draw();
    });
    this.#note = element("p", { class: "cc-note" });
    this.#legend = legend(t);
    this.element = element("div", {}, [this.#legend, this.#paging, this.#frame, this.#note, this.#more]);
    new ResizeObserver(() => {
      if (this.#room !== this.#columns) this.#draw();
    }).observe(this.element);
  }

  /**
   * @param {Pair[]} pairs
   * @param {string} emptyNote
   */
  show(pairs, emptyNote) {
    this.#map = mapOf(pairs);
    this.#short = shortNames(this.#map.checkpoints);
    this.#words = PAGE;
    this.#first = 0;
    this.#note.textContent = pairs.length > 0 ? "" : emptyNote;
    for (const part of [this.#legend, this.#table]) part.hidden = pairs.length === 0;
    this.#draw();
  }

  /** As many columns as there is room for. */
  get #room() {
    return Math.max(1, Math.floor((this.element.clientWidth - KEYWORD_PX) / CELL_PX));
  }

  /** @param {number} columns */
  #turn(columns) {
    const pressed = columns < 0 ? this.#before : this.#after;
    if (pressed.getAttribute("aria-disabled") === "true") return;
    this.#first = Math.max(0, this.#first + columns);
    this.#draw();
  }

  #draw() {
    this.#columns = this.#room;
    const { checkpoints, words } = this.#map;
    if (this.#first >= checkpoints.length) this.#first = 0;
    const shown = checkpoints.slice(this.#first, this.#first + this.#columns);
    const names = shown.map((name) => element("th", { scope: "col" }, [this.#name(name)]));
    this.#head.replaceChildren(element("th", { scope: "col", text: this.#t("keyword") }), ...names);
    const rows = words.slice(0, this.#words).flat();
    this.#body.replaceChildren(...rows.map((row) => this.#row(row, shown)));
    this.#body.querySelector("button")?.setAttribute("tabindex", "0");
    this.#more.hidden = words.length <= this.#words;
    this.#paging.hidden = checkpoints.length <= this.#columns;
    const to = this.#first + shown.length;
    this.#range.textContent = this.#t("mapColumns", { from: this.#first + 1, to, all: checkpoints.length });
    this.#before.setAttribute("aria-disabled", String(this.#first === 0));
    this.#after.setAttribute("aria-disabled", String(to >= checkpoints.length));
  }

  /** @param {string} checkpoint */
  #name(checkpoint) {
    const text = withoutMiddle(this.#short.get(checkpoint) ?? checkpoint);
    return element("bdi", { class: "cc-map-name", text, title: shownName(checkpoint) });
  }

  /**
   * @param {MapRow} row
   * @param {string[]} checkpoints
   */
  #row(row, checkpoints) {
    const name = { class: "cc-name", text: shownName(row.label), title: shownName(row.keyword) };
    const keyword = element("th", { scope: "row", class: row.isPhrase ? "cc-phrase" : undefined }, [
      element("bdi", { ...name, "aria-label": row.isPhrase ? shownName(row.keyword) : undefined }),
    ]);
    const cells = checkpoints.map((checkpoint) => {
      const pair = row.cells.get(checkpoint);
      const unknown = this.#t("mapUnknown");
      return pair
        ? element("td", {}, [this.#mark(pair)])
        : element("td", { class: "cc-note", title: unknown }, [
            element("span", { text: "·", role: "img", "aria-label": unknown }),
          ]);
    });
    return element("tr", {}, [keyword, ...cells]);
  }

  /** @param {Pair} pair */
  #mark(pair) {
    const { liking, lean, known } = markOf(pair);
    const text = this.#text(pair);
    const mark = element("span", { class: "cc-mark", "data-liking": liking });
    mark.style.setProperty("--cc-lean", `${Math.round(100 * lean)}%`);
    mark.style.inlineSize = `${Math.round(LEAST_MARK_PX + known * (MOST_MARK_PX - LEAST_MARK_PX))}px`;
    const pressed = button("", () => this.#toggle(pressed, pair), {
      "aria-label": text,
      title: text,
      "aria-expanded": "false",
      tabindex: "-1",
    });
    pressed.append(mark);
    pressed.addEventListener("focus", () => {
      this.#body.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
      pressed.setAttribute("tabindex", "0");
    });
    return pressed;
  }

  /** @param {Pair} pair */
  #text({ keyword, checkpoint, selected, total }) {
    return this.#t("mapCell", {
      keyword: shownName(keyword),
      checkpoint: this.#short.get(checkpoint),
      rate: percent(wilsonInterval(selected, total)?.rate ?? 0),
      judged: formatNumber(total),
    });
  }

  /**
   * Show the verdicts in a row below the pressed one's, one pair at a time.
   *
   * @param {HTMLElement} pressed
   * @param {Pair} pair
   */
  #toggle(pressed, pair) {
    const isOpen = pressed.getAttribute("aria-expanded") === "true";
    for (const open of this.#body.querySelectorAll("[aria-expanded='true']"))
      open.setAttribute("aria-expanded", "false");
    this.#body.querySelector(".cc-details")?.remove();
    if (isOpen) return;
    pressed.setAttribute("aria-expanded", "true");
    const content = element("div", {}, [element("p", {}, [element("strong", { text: this.#text(pair) })])]);
    content.append(this.#evidence(pair));
    const cell = element("td", { colspan: String(this.#head.cells.length) }, [content]);
    pressed.closest("tr")?.after(element("tr", { class: "cc-details" }, [cell]));
  }

  /**
   * The arrows lead from mark to mark; Tab reaches one of them.
   *
   * @param {KeyboardEvent} pressed
   */
  #pressed(pressed) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[pressed.key];
    const cell = /** @type {HTMLElement} */ (pressed.target).closest("td");
    if (!step || !cell || !(pressed.target instanceof HTMLButtonElement)) return;
    const rows = [...this.#body.rows].filter((row) => !row.classList.contains("cc-details"));
    let column = cell.cellIndex;
    let row = rows.findIndex((candidate) => candidate.contains(cell));
    for (;;) {
      column += step[0];
      row += step[1];
      const next = column > 0 ? rows[row]?.cells[column] : undefined;
      if (!next) return;
      const mark = next.querySelector("button");
      if (!mark) continue;
      pressed.preventDefault();
      mark.focus();
      return;
    }
  }
}

/** @param {Translate} t */
function legend(t) {
  const entry = (/** @type {string} */ key, /** @type {number} */ selected, /** @type {number} */ px) => {
    const { liking, lean } = markOf({ keyword: "", checkpoint: "", selected, total: 100 });
    const mark = element("span", { class: "cc-mark", "data-liking": liking });
    mark.style.setProperty("--cc-lean", `${100 * lean}%`);
    mark.style.inlineSize = `${px}px`;
    return element("li", {}, [mark, element("span", { text: t(key) })]);
  };
  return element("div", { class: "cc-note" }, [
    element("ul", { class: "cc-legend" }, [
      entry("mapLiked", 100, 16),
      entry("mapHalf", 50, 16),
      entry("mapDisliked", 0, 16),
      entry("mapFew", 100, LEAST_MARK_PX),
      entry("mapMany", 100, MOST_MARK_PX),
    ]),
    element("p", { text: t("mapHelp") }),
  ]);
}

/** @param {string} name shortened to what a column's title holds */
function withoutMiddle(name) {
  const letters = [...name];
  if (letters.length <= LONGEST_NAME) return name;
  return [...letters.slice(0, LONGEST_NAME - 9), "…", ...letters.slice(-8)].join("");
}
