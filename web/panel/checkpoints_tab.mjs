// @ts-check
/** *Checkpoints*: every file and every checkpoint that made images. Few enough to be sorted here. */

import { nameElement } from "../checkpoint_name.mjs";
import { element } from "../elements.mjs";
import { Asking } from "./asking.mjs";
import { amount, rateCell } from "./cells.mjs";
import { wilson } from "./interval.mjs";
import { searchField } from "./search_field.mjs";
import { Table } from "./table.mjs";

/** @typedef {import("./panel.mjs").PanelParts} PanelParts */
/** @typedef {Record<string, any>} Checkpoint */

/** @type {Record<string, (row: Checkpoint) => string | number>} */
const VALUES = {
  checkpoint: (row) => row.checkpoint,
  family: (row) => row.family ?? "",
  shown: (row) => row.shown,
  total: (row) => row.total,
  rate: (row) => wilson(row.selected, row.total)?.rate ?? -1,
};

export class CheckpointsTab {
  #parts;
  #asking;
  #search = "";
  /** @type {Checkpoint[]} */
  #rows = [];
  /** @type {Table<Checkpoint>} */
  #table;

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say } = parts;
    this.#parts = parts;
    this.#asking = new Asking(say);
    this.#table = new Table({
      caption: say("checkpointTable"),
      none: say("noCheckpoints"),
      order: { key: "total", descending: true },
      sorted: () => this.#draw(),
      columns: [
        { key: "checkpoint", title: say("checkpoint"), cell: (row) => this.#name(row) },
        { key: "family", title: say("family"), cell: (row) => row.family ?? "–" },
        {
          key: "rate",
          title: say("winRate"),
          numeric: true,
          cell: (row) => rateCell(row.selected, row.total, say),
        },
        { key: "total", title: say("judged"), numeric: true, cell: (row) => amount(row.total) },
        {
          key: "shown",
          title: say("shown"),
          help: say("shownHelp"),
          numeric: true,
          cell: (row) => amount(row.shown),
        },
      ],
    });
    this.element = element("div", {}, [
      searchField(say("searchCheckpoint"), (text) => {
        this.#search = text.toLowerCase();
        this.#draw();
      }),
      this.#asking.element,
      this.#table.element,
    ]);
  }

  show() {
    void this.#asking.ask(
      () => this.#parts.server.checkpoints(),
      ({ checkpoints }) => {
        this.#rows = checkpoints;
        this.#draw();
      },
    );
  }

  hide() {
    this.#asking.drop();
  }

  #draw() {
    const { key, descending } = this.#table.order;
    const found = this.#rows.filter((row) =>
      [row.checkpoint, row.family ?? ""].some((text) => text.toLowerCase().includes(this.#search)),
    );
    this.#table.show(sorted(found, VALUES[key], descending));
  }

  /** @param {Checkpoint} row */
  #name(row) {
    const { say } = this.#parts;
    const flag =
      row.state === "missing" || row.state === "broken"
        ? element("span", {
            class: "cc-flag",
            text: say(`state_${row.state}`, { problem: row.problem }),
          })
        : null;
    return element("span", {}, [nameElement(row.checkpoint), flag]);
  }
}

/**
 * @param {Checkpoint[]} rows
 * @param {(row: Checkpoint) => string | number} value
 * @param {boolean} descending
 */
export function sorted(rows, value, descending) {
  const order = (/** @type {Checkpoint} */ one, /** @type {Checkpoint} */ other) => {
    const [a, b] = [value(one), value(other)];
    return typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
  };
  return [...rows].sort((one, other) => order(one, other) * (descending ? -1 : 1));
}
