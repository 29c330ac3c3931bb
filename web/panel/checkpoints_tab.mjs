// @ts-check
/**
 * *Checkpoints*: every checkpoint file and every checkpoint that has made images, each with its settings. Few enough to be
 * sorted here.
 */

import { numberColumn, rateColumn } from "../components/columns.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { searchField } from "../components/search_field.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { Table } from "../components/table.mjs";
import { wilsonInterval } from "../components/wilson_interval.mjs";
import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { ProfileEditor } from "./profile_editor.mjs";

/** @typedef {Record<string, any>} Checkpoint */

/** @type {Record<string, (row: Checkpoint) => string | number>} */
const VALUES = {
  checkpoint: (row) => row.checkpoint,
  family: (row) => row.family ?? "",
  shown: (row) => row.shown,
  total: (row) => row.total,
  rate: (row) => wilsonInterval(row.selected, row.total)?.rate ?? -1,
  choice: (row) => ["banned", null, "pinned"].indexOf(row.choice),
};

/** The settings' name of each choice, and its button. */
const CHOICES = /** @type {const} */ ([
  ["pinned", "pin"],
  ["banned", "ban"],
]);

export class CheckpointsTab {
  #options;
  #request;
  #status = new StatusLine();
  #search = "";
  /** @type {Checkpoint[]} */
  #rows = [];
  #short = shortNames([]);
  /** @type {Table<Checkpoint>} */
  #table;

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#request = new RequestLine(t);
    this.#table = new Table({
      caption: t("checkpointTable"),
      emptyNote: t("noCheckpoints"),
      order: { key: "total", descending: true },
      onSort: () => this.#draw(),
      columns: [
        { key: "checkpoint", title: t("checkpoint"), cell: (row) => this.#name(row) },
        {
          key: "choice",
          title: t("choice"),
          help: t("choiceHelp"),
          cell: (row) => this.#choice(row),
        },
        rateColumn(t("winRate"), t),
        numberColumn("total", t("judged")),
        numberColumn("shown", t("shown"), t("shownHelp")),
        { key: "family", title: t("family"), cell: (row) => row.family ?? "–" },
      ],
      details: {
        label: (row) => t("profileOf", { checkpoint: shownName(row.checkpoint) }),
        show: (row) => new ProfileEditor(options, row.checkpoint).element,
      },
    });
    this.element = element("div", {}, [
      searchField(t("searchCheckpoint"), (text) => {
        this.#search = text.toLowerCase();
        this.#draw();
      }),
      element("p", { class: "cc-note", text: t("choiceHelp") }),
      element("p", { class: "cc-note", text: t("profilesHelp") }),
      this.#status.element,
      this.#request.element,
      this.#table.element,
    ]);
  }

  show() {
    void this.#request.send(
      () => this.#options.server.checkpoints(),
      ({ checkpoints }) => {
        this.#rows = checkpoints;
        this.#short = shortNames(this.#rows.map((row) => row.checkpoint));
        this.#draw();
      },
    );
  }

  hide() {
    this.#request.cancel();
    this.#status.show("");
  }

  #draw() {
    const { key, descending } = this.#table.order;
    const matches = this.#rows.filter((row) =>
      [row.checkpoint, row.family ?? ""].some((text) => text.toLowerCase().includes(this.#search)),
    );
    const note = this.#options.t(this.#rows.length > 0 ? "noCheckpointMatches" : "noCheckpoints");
    this.#table.show(sorted(matches, VALUES[key], descending), note);
  }

  /** @param {Checkpoint} row */
  #choice(row) {
    const { t } = this.#options;
    const buttons = CHOICES.map(([choice, verb]) =>
      button(t(verb), () => void this.#choose(row, row.choice === choice ? null : choice), {
        class: `cc-${verb}`,
        "aria-pressed": String(row.choice === choice),
        "aria-label": t(`${verb}Checkpoint`, { checkpoint: shownName(row.checkpoint) }),
      }),
    );
    return element("span", { class: "cc-choice" }, buttons);
  }

  /**
   * @param {Checkpoint} row
   * @param {"pinned" | "banned" | null} choice
   */
  async #choose(row, choice) {
    const { t, server, changeSettings } = this.#options;
    const pressed = document.activeElement?.getAttribute("aria-label");
    try {
      // Read first: another tab or the command line may have changed them.
      await changeSettings(withChoice(await server.settings(), row.checkpoint, choice));
      row.choice = choice;
      this.#status.show(t(`choice_${choice ?? "none"}`, { checkpoint: shownName(row.checkpoint) }), "saved");
    } catch (error) {
      this.#status.showError(t, "notSaved", error);
    }
    this.#draw();
    // The buttons have been replaced, which loses the keyboard's focus.
    const buttons = [...this.#table.element.querySelectorAll("button")];
    buttons.find((replaced) => pressed && replaced.getAttribute("aria-label") === pressed)?.focus();
  }

  /** @param {Checkpoint} row */
  #name(row) {
    const { t } = this.#options;
    const flag =
      row.state === "missing" || row.state === "broken"
        ? element("span", {
            class: "cc-flag",
            text: t(`state_${row.state}`, { problem: row.problem_parts }),
          })
        : null;
    return element("span", {}, [nameElement(row.checkpoint, this.#short), flag]);
  }
}

/**
 * The settings' two lists after a choice for one checkpoint.
 *
 * @param {Record<string, any>} settings
 * @param {string} checkpoint
 * @param {"pinned" | "banned" | null} choice
 */
export function withChoice(settings, checkpoint, choice) {
  const plain = checkpoint.replaceAll("\\", "/"); // the server's spelling, on every system
  const lists = CHOICES.map(([list]) => {
    const others = settings[list].filter((/** @type {string} */ name) => name !== plain);
    return [list, list === choice ? [...others, plain] : others];
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
