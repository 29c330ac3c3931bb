// @ts-check
/** *Checkpoints*: every file and every checkpoint that made images. Few enough to be sorted here. */

import { nameElement } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { StatusLine } from "../lib/status_line.mjs";
import { Asking } from "./asking.mjs";
import { amountColumn, rateColumn } from "./cells.mjs";
import { wilson } from "./interval.mjs";
import { searchField } from "./search_field.mjs";
import { Table } from "./table.mjs";

/** @typedef {Record<string, any>} Checkpoint */

/** @type {Record<string, (row: Checkpoint) => string | number>} */
const VALUES = {
  checkpoint: (row) => row.checkpoint,
  family: (row) => row.family ?? "",
  shown: (row) => row.shown,
  total: (row) => row.total,
  rate: (row) => wilson(row.selected, row.total)?.rate ?? -1,
  choice: (row) => ["banned", null, "pinned"].indexOf(row.choice),
};

/** What the settings call each choice, and the button that makes it. */
const CHOICES = /** @type {const} */ ([
  ["pinned", "pin"],
  ["banned", "ban"],
]);

export class CheckpointsTab {
  #parts;
  #asking;
  #status = new StatusLine();
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
        {
          key: "choice",
          title: say("choice"),
          help: say("choiceHelp"),
          cell: (row) => this.#choice(row),
        },
        rateColumn(say("winRate"), say),
        amountColumn("total", say("judged")),
        amountColumn("shown", say("shown"), say("shownHelp")),
        { key: "family", title: say("family"), cell: (row) => row.family ?? "–" },
      ],
    });
    this.element = element("div", {}, [
      searchField(say("searchCheckpoint"), (text) => {
        this.#search = text.toLowerCase();
        this.#draw();
      }),
      element("p", { class: "cc-note", text: say("choiceHelp") }),
      this.#status.element,
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
    this.#status.tell("");
  }

  #draw() {
    const { key, descending } = this.#table.order;
    const found = this.#rows.filter((row) =>
      [row.checkpoint, row.family ?? ""].some((text) => text.toLowerCase().includes(this.#search)),
    );
    this.#table.show(sorted(found, VALUES[key], descending));
  }

  /** @param {Checkpoint} row */
  #choice(row) {
    const { say } = this.#parts;
    const buttons = CHOICES.map(([choice, verb]) =>
      button(say(verb), () => void this.#choose(row, row.choice === choice ? null : choice), {
        class: `cc-${verb}`,
        "aria-pressed": String(row.choice === choice),
        "aria-label": say(`${verb}Checkpoint`, { checkpoint: row.checkpoint }),
      }),
    );
    return element("span", { class: "cc-choice" }, buttons);
  }

  /**
   * @param {Checkpoint} row
   * @param {"pinned" | "banned" | null} wanted
   */
  async #choose(row, wanted) {
    const { say, server, changeSettings } = this.#parts;
    const pressed = document.activeElement?.getAttribute("aria-label");
    try {
      // Read anew: another tab or the command line may have chosen meanwhile.
      await changeSettings(chosen(await server.settings(), row.checkpoint, wanted));
      row.choice = wanted;
      this.#status.tell(say(`told_${wanted ?? "free"}`, { checkpoint: row.checkpoint }), "saved");
    } catch (error) {
      this.#status.failed(say, "notSaved", error);
    }
    this.#draw();
    // Drawn anew, so the keyboard would be nowhere.
    const again = [...this.#table.element.querySelectorAll("button")];
    again.find((one) => pressed && one.getAttribute("aria-label") === pressed)?.focus();
  }

  /** @param {Checkpoint} row */
  #name(row) {
    const { say } = this.#parts;
    const flag =
      row.state === "missing" || row.state === "broken"
        ? element("span", {
            class: "cc-flag",
            text: say(`state_${row.state}`, { problem: row.problem_parts }),
          })
        : null;
    return element("span", {}, [nameElement(row.checkpoint), flag]);
  }
}

/**
 * The settings' two lists with one checkpoint moved.
 *
 * @param {Record<string, any>} held
 * @param {string} checkpoint
 * @param {"pinned" | "banned" | null} wanted
 */
export function chosen(held, checkpoint, wanted) {
  const plain = checkpoint.replaceAll("\\", "/"); // as the server spells it, whatever its system
  const lists = CHOICES.map(([choice]) => {
    const others = held[choice].filter((/** @type {string} */ name) => name !== plain);
    return [choice, choice === wanted ? [...others, plain] : others];
  });
  return Object.fromEntries(lists);
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
