// @ts-check
/** *Preferences*: what was learned of each keyword and checkpoint. */

import { nameElement } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { Asking } from "./asking.mjs";
import { amount, amountColumn, moment, rateColumn } from "./cells.mjs";
import { searchField } from "./search_field.mjs";
import { Table } from "./table.mjs";

const ROWS = 50;
const EVIDENCE_ROUNDS = 8;
/** Of a prompt, in characters: enough to know it again. */
const EXCERPT = 160;

/** @typedef {Record<string, any>} Pair */

export class PreferencesTab {
  #parts;
  #asking;
  #search = "";
  #from = 0;
  /** @type {Table<Pair>} */
  #table;
  #place = element("span", { role: "status" });
  #earlier;
  #later;

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say } = parts;
    this.#parts = parts;
    this.#asking = new Asking(say);
    this.#table = new Table({
      caption: say("pairs"),
      none: say("noPairs"),
      order: { key: "total", descending: true },
      sorted: () => this.#begin(),
      columns: [
        {
          key: "keyword",
          title: say("keyword"),
          cell: ({ keyword }) => element("bdi", { class: "cc-name cc-keyword", text: keyword, title: keyword }),
        },
        { key: "checkpoint", title: say("checkpoint"), cell: (row) => nameElement(row.checkpoint) },
        rateColumn(say("rate"), say),
        amountColumn("selected", say("kept")),
        amountColumn("total", say("judged")),
        amountColumn("rounds", say("compared"), say("comparedHelp")),
      ],
      details: {
        label: (row) => say("showEvidence", { keyword: row.keyword, checkpoint: row.checkpoint }),
        show: (row) => this.#evidence(row),
      },
    });
    this.#earlier = button(say("earlierRows"), () => this.#turn(-ROWS));
    this.#later = button(say("laterRows"), () => this.#turn(ROWS));
    this.element = element("div", {}, [
      searchField(say("search"), (text) => {
        this.#search = text;
        this.#begin();
      }),
      this.#asking.element,
      this.#table.element,
      element("div", { class: "cc-paging" }, [this.#earlier, this.#place, this.#later]),
    ]);
  }

  show() {
    const { key, descending } = this.#table.order;
    const from = this.#from;
    void this.#asking.ask(
      () =>
        this.#parts.server.statistics({
          parts: ["pairs"],
          search: this.#search || undefined,
          sort: key,
          descending,
          limit: ROWS,
          offset: from,
        }),
      (told) => this.#draw(told.pairs, told.pairs_found, from),
    );
  }

  hide() {
    this.#asking.drop();
  }

  #begin() {
    this.#from = 0;
    this.show();
  }

  /** @param {number} rows */
  #turn(rows) {
    const pressed = rows < 0 ? this.#earlier : this.#later;
    if (pressed.getAttribute("aria-disabled") === "true") return;
    this.#from = Math.max(0, this.#from + rows);
    this.show();
  }

  /**
   * @param {Pair[]} pairs
   * @param {number} found
   * @param {number} from
   */
  #draw(pairs, found, from) {
    this.#table.show(pairs);
    const to = from + pairs.length;
    this.#place.textContent =
      found > 0 ? this.#parts.say("rowsShown", { from: amount(from + 1), to: amount(to), all: amount(found) }) : "";
    this.#earlier.setAttribute("aria-disabled", String(from === 0));
    this.#later.setAttribute("aria-disabled", String(to >= found));
  }

  /** @param {Pair} pair */
  #evidence(pair) {
    const { say, server } = this.#parts;
    const asking = new Asking(say);
    const list = element("ul", { class: "cc-evidence" });
    const { keyword, checkpoint } = pair;
    void asking.ask(
      () => server.generations({ keyword, checkpoint, judged: true, limit: EVIDENCE_ROUNDS }),
      ({ generations }) => {
        list.replaceChildren(
          ...generations.map((/** @type {Record<string, any>} */ one) => this.#round(one, checkpoint)),
        );
        if (generations.length === 0) list.append(element("li", { text: say("evidenceNone") }));
      },
    );
    return element("div", {}, [element("p", { class: "cc-note", text: say("evidenceRounds") }), asking.element, list]);
  }

  /**
   * @param {Record<string, any>} generation
   * @param {string} checkpoint
   */
  #round(generation, checkpoint) {
    const { say } = this.#parts;
    const own = generation.images.filter((/** @type {any} */ image) => image.file.checkpoint === checkpoint);
    const kept = (/** @type {any[]} */ images) => images.filter((image) => image.verdict === "selected").length;
    const numbers = {
      kept: kept(own),
      images: own.length,
      others: kept(generation.images) - kept(own),
    };
    return element("li", {}, [
      element("span", { text: `${moment(generation.created_at, say)}: ${say("evidenceRound", numbers)}` }),
      element("bdi", { class: "cc-prompt", text: generation.prompt.slice(0, EXCERPT) }),
    ]);
  }
}
