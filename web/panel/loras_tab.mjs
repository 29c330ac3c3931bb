// @ts-check
/** *LoRAs*: which of them would be recommended for a prompt, and what is known of each. Few enough to be sorted here. */

import { numberColumn } from "../components/columns.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { Table } from "../components/table.mjs";
import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { button, element, field } from "../lib/dom.mjs";
import { messageText } from "../lib/i18n.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { rounded } from "../recommender/branch_settings.mjs";
import { percent } from "../recommender/plan.mjs";
import { sorted } from "./checkpoints_tab.mjs";

/** @typedef {Record<string, any>} Lora */

/** @type {Record<string, (row: Lora) => string | number>} */
const VALUES = {
  name: (row) => row.name,
  kept: (row) => row.selected,
  used: (row) => row.used,
  strength: (row) => row.strength,
};

export class LorasTab {
  #options;
  #request;
  #prompt = element("textarea", { rows: "3" });
  #checkpoint = element("select");
  #available = element("textarea", { rows: "4" });
  #answer = element("div", { class: "cc-lora-answer" });
  /** @type {Lora[]} */
  #rows = [];
  #short = shortNames([]);
  /** @type {Table<Lora>} */
  #table;

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t, inComfyUI } = options;
    this.#options = options;
    this.#request = new RequestLine(t);
    this.#table = new Table({
      caption: t("lorasKnown"),
      emptyNote: t("noLorasKnown"),
      order: { key: "used", descending: true },
      onSort: () => this.#drawTable(),
      columns: [
        { key: "name", title: t("tab_loras"), cell: (row) => nameElement(row.name, this.#short) },
        numberColumn("used", t("loraUsed"), t("loraUsedHelp")),
        {
          key: "kept",
          title: t("kept"),
          help: t("loraKeptHelp"),
          numeric: true,
          cell: (row) => (row.total > 0 ? t("loraKept", { kept: row.selected, judged: row.total }) : "–"),
        },
        { key: "strength", title: t("loraStrength"), numeric: true, cell: (row) => rounded(row.strength) },
      ],
      details: {
        label: (row) => t("whyLora", { lora: shownName(row.name) }),
        show: (row) => element("div", { text: messageText(t, row.reason_parts) }),
      },
    });
    this.#setCheckpoints([]);
    this.element = element("div", {}, [
      field(t("tryPrompt"), this.#prompt),
      field(t("checkpoint"), this.#checkpoint),
      inComfyUI ? null : field(t("lorasAvailable"), this.#available),
      element("div", { class: "cc-actions" }, [button(t("lorasAsk"), () => this.#ask())]),
      this.#request.element,
      this.#answer,
      element("h3", { text: t("lorasKnown") }),
      this.#table.element,
    ]);
  }

  show() {
    // Where nothing is named yet, there is nothing to ask about.
    if (this.#options.inComfyUI || this.#names().length > 0) this.#ask();
    this.#options.server
      .checkpoints()
      .then(({ checkpoints }) => this.#setCheckpoints(checkpoints.map((/** @type {any} */ row) => row.checkpoint)))
      .catch(() => {}); // LoRAs are recommended all the same
  }

  hide() {
    this.#request.cancel();
  }

  #ask() {
    const { t, server, inComfyUI } = this.#options;
    const prompt = this.#prompt.value;
    void this.#request.send(
      async () => {
        const body = { prompt, checkpoint: this.#checkpoint.value || null };
        if (inComfyUI) return server.recommendLoras(body);
        const available = this.#names();
        if (available.length === 0) throw new Error(t("lorasNoneNamed"));
        return server.recommendLoras({ ...body, available });
      },
      (answer) => this.#draw(answer, prompt.trim() !== ""),
    );
  }

  #names() {
    const lines = this.#available.value.split("\n").map((name) => name.trim());
    return lines.filter((name) => name !== "");
  }

  /** @param {string[]} names */
  #setCheckpoints(names) {
    const selected = this.#checkpoint.value;
    const short = shortNames(names);
    this.#checkpoint.replaceChildren(
      element("option", { value: "", text: this.#options.t("historyAnyCheckpoint") }),
      ...names.map((name) => element("option", { value: name, text: short.get(name) })),
    );
    this.#checkpoint.value = names.includes(selected) ? selected : "";
  }

  /**
   * @param {Json} answer
   * @param {boolean} asked about a prompt; without one only what is known is shown
   */
  #draw(answer, asked) {
    const { t } = this.#options;
    this.#rows = answer.ranking;
    this.#short = shortNames(this.#rows.map(({ name }) => name));
    const none = element("p", { class: "cc-note", text: messageText(t, answer.reason_parts) });
    if (answer.loras.length > 0) this.#answer.replaceChildren(asked ? this.#recommended(answer.loras) : "");
    else this.#answer.replaceChildren(asked || this.#rows.length === 0 ? none : "");
    this.#drawTable();
  }

  /** @param {Lora[]} loras best first */
  #recommended(loras) {
    const { t } = this.#options;
    const items = loras.map(({ name, strength, reason_parts: reason }) => {
      const { confidence } = /** @type {Lora} */ (this.#rows.find((row) => row.name === name));
      const sure = t("loraSure", { strength: rounded(strength), confidence: percent(confidence) });
      return element("li", {}, [
        nameElement(name, this.#short),
        element("div", { class: "cc-branch-settings" }, [
          element("p", { text: sure }),
          element("p", { text: messageText(t, reason) }),
        ]),
      ]);
    });
    return element("ol", { class: "cc-checkpoints", "aria-label": t("lorasRecommended") }, items);
  }

  #drawTable() {
    const { key, descending } = this.#table.order;
    this.#table.show(sorted(this.#rows, VALUES[key], descending));
  }
}
