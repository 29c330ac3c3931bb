// @ts-check
/** *Preferences*: what was learned about each keyword and checkpoint, as a map, and as a table with all of it. */

import { formatNumber, numberColumn, rateColumn } from "../components/columns.mjs";
import { downloadLink } from "../components/download_link.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { searchField } from "../components/search_field.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { Table } from "../components/table.mjs";
import { csvPath } from "../lib/api_client.mjs";
import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { pairEvidence } from "./pair_evidence.mjs";
import { PreferenceMap } from "./preference_map_view.mjs";

const PAGE_SIZE = 50;
/** The map is made of the pairs of which most is known: so many pages, of as many rows as the server gives at once. */
const MAP_PAGES = 4;
const MAP_PAGE_SIZE = 500;
const VIEWS = /** @type {const} */ (["map", "table"]);

/** @typedef {Record<string, any>} Pair */

export class PreferencesTab {
  #options;
  #request;
  #download = new StatusLine();
  #search = "";
  #offset = 0;
  #short = shortNames([]);
  /** @type {Table<Pair>} */
  #table;
  #range = element("span", { role: "status" });
  #previous;
  #next;
  #map;
  #rows;
  /** @type {typeof VIEWS[number]} */
  #view = "map";
  #views;

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#request = new RequestLine(t);
    this.#table = new Table({
      caption: t("pairs"),
      emptyNote: t("noPairs"),
      order: { key: "total", descending: true },
      onSort: () => this.#showFirst(),
      columns: [
        {
          key: "keyword",
          title: t("keyword"),
          cell: ({ keyword }) =>
            element("bdi", { class: "cc-name cc-keyword", text: shownName(keyword), title: shownName(keyword) }),
        },
        { key: "checkpoint", title: t("checkpoint"), cell: (row) => nameElement(row.checkpoint, this.#short) },
        rateColumn(t("rate"), t),
        numberColumn("selected", t("kept")),
        numberColumn("total", t("judged")),
        numberColumn("rounds", t("compared"), t("comparedHelp")),
      ],
      details: {
        label: (row) => t("showEvidence", { keyword: shownName(row.keyword), checkpoint: shownName(row.checkpoint) }),
        show: (row) => pairEvidence(options, row),
      },
    });
    this.#previous = button(t("earlierRows"), () => this.#turnPage(-PAGE_SIZE));
    this.#next = button(t("laterRows"), () => this.#turnPage(PAGE_SIZE));
    this.#map = new PreferenceMap(t, (pair) => pairEvidence(options, pair));
    this.#views = VIEWS.map((view) => button(t(`view_${view}`), () => this.#choose(view)));
    this.#rows = element("div", {}, [
      this.#table.element,
      element("div", { class: "cc-paging" }, [this.#previous, this.#range, this.#next]),
    ]);
    this.element = element("div", {}, [
      element("div", { class: "cc-actions cc-views", role: "group", "aria-label": t("tab_preferences") }, this.#views),
      searchField(t("search"), (text) => {
        this.#search = text;
        this.#showFirst();
      }),
      this.#request.element,
      this.#map.element,
      this.#rows,
      element("div", { class: "cc-actions" }, [
        downloadLink(options.server, {
          text: t("downloadCsv"),
          filename: "context-checkpoint.csv",
          path: () => csvPath(this.#search),
          onError: (error) => this.#download.showError(t, "notExported", error),
        }),
      ]),
      this.#download.element,
    ]);
    this.#markView();
  }

  show() {
    if (this.#view === "map") this.#showMap();
    else this.#showRows();
  }

  /** @param {typeof VIEWS[number]} view */
  #choose(view) {
    this.#view = view;
    this.#markView();
    this.#showFirst();
  }

  #markView() {
    for (const [place, view] of VIEWS.entries()) {
      this.#views[place].setAttribute("aria-pressed", String(view === this.#view));
    }
    this.#map.element.hidden = this.#view !== "map";
    this.#rows.hidden = this.#view !== "table";
  }

  #showMap() {
    void this.#request.send(
      () => this.#mapPairs(),
      (pairs) => this.#map.show(pairs, this.#emptyNote),
    );
  }

  async #mapPairs() {
    /** @type {Pair[]} */
    const all = [];
    for (let page = 0; page < MAP_PAGES; page += 1) {
      const { pairs, pairs_found } = await this.#options.server.statistics({
        parts: ["pairs"],
        search: this.#search || undefined,
        limit: MAP_PAGE_SIZE,
        offset: all.length,
      });
      all.push(...pairs);
      if (pairs.length === 0 || all.length >= pairs_found) break;
    }
    return /** @type {import("./preference_map.mjs").Pair[]} */ (all);
  }

  get #emptyNote() {
    return this.#options.t(this.#search ? "noPairs" : "nothingLearned");
  }

  #showRows() {
    const { key, descending } = this.#table.order;
    const offset = this.#offset;
    void this.#request.send(
      () =>
        this.#options.server.statistics({
          parts: ["pairs"],
          search: this.#search || undefined,
          sort: key,
          descending,
          limit: PAGE_SIZE,
          offset,
        }),
      (statistics) => this.#draw(statistics.pairs, statistics.pairs_found, offset),
    );
  }

  hide() {
    this.#request.cancel();
  }

  #showFirst() {
    this.#offset = 0;
    this.show();
  }

  /** @param {number} rows */
  #turnPage(rows) {
    const pressed = rows < 0 ? this.#previous : this.#next;
    if (pressed.getAttribute("aria-disabled") === "true") return;
    this.#offset = Math.max(0, this.#offset + rows);
    this.show();
  }

  /**
   * @param {Pair[]} pairs
   * @param {number} count of all pairs
   * @param {number} offset
   */
  #draw(pairs, count, offset) {
    this.#short = shortNames(pairs.map((row) => row.checkpoint));
    this.#table.show(pairs, this.#emptyNote);
    const to = offset + pairs.length;
    this.#range.textContent =
      count > 0
        ? this.#options.t("rowsShown", {
            from: formatNumber(offset + 1),
            to: formatNumber(to),
            all: formatNumber(count),
          })
        : "";
    this.#previous.setAttribute("aria-disabled", String(offset === 0));
    this.#next.setAttribute("aria-disabled", String(to >= count));
  }
}
