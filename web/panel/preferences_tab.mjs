// @ts-check
/** *Preferences*: what was learned about each keyword and checkpoint. */

import { formatNumber, formatTime, numberColumn, rateColumn } from "../components/columns.mjs";
import { downloadLink } from "../components/download_link.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { searchField } from "../components/search_field.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { Table } from "../components/table.mjs";
import { csvPath } from "../lib/api_client.mjs";
import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";

const PAGE_SIZE = 50;
const MOST_EVIDENCE = 8;
/** Length of a prompt's excerpt, in characters. */
const EXCERPT_LENGTH = 160;

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
        show: (row) => this.#evidence(row),
      },
    });
    this.#previous = button(t("earlierRows"), () => this.#turnPage(-PAGE_SIZE));
    this.#next = button(t("laterRows"), () => this.#turnPage(PAGE_SIZE));
    this.element = element("div", {}, [
      searchField(t("search"), (text) => {
        this.#search = text;
        this.#showFirst();
      }),
      this.#request.element,
      this.#table.element,
      element("div", { class: "cc-paging" }, [this.#previous, this.#range, this.#next]),
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
  }

  show() {
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
    this.#table.show(pairs);
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

  /** @param {Pair} pair */
  #evidence(pair) {
    const { t, server } = this.#options;
    const request = new RequestLine(t);
    const list = element("ul", { class: "cc-evidence" });
    const { keyword, checkpoint } = pair;
    void request.send(
      () => server.generations({ keyword, checkpoint, judged: true, limit: MOST_EVIDENCE }),
      ({ generations }) => {
        list.replaceChildren(
          ...generations.map((/** @type {Record<string, any>} */ generation) =>
            this.#evidenceItem(generation, checkpoint),
          ),
        );
        if (generations.length === 0) list.append(element("li", { text: t("evidenceNone") }));
      },
    );
    return element("div", {}, [
      element("p", { class: "cc-note", text: t("evidenceGenerations") }),
      request.element,
      list,
    ]);
  }

  /**
   * @param {Record<string, any>} generation
   * @param {string} checkpoint
   */
  #evidenceItem(generation, checkpoint) {
    const { t } = this.#options;
    const own = generation.images.filter((/** @type {any} */ image) => image.file.checkpoint === checkpoint);
    const kept = (/** @type {any[]} */ images) => images.filter((image) => image.verdict === "selected").length;
    const numbers = {
      kept: kept(own),
      images: own.length,
      others: kept(generation.images) - kept(own),
    };
    return element("li", {}, [
      element("span", { text: `${formatTime(generation.created_at, t)}: ${t("evidenceGeneration", numbers)}` }),
      element("bdi", { class: "cc-prompt", text: generation.prompt.slice(0, EXCERPT_LENGTH) }),
    ]);
  }
}
