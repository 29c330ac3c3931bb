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

/** The reason where no LoRA is known, which the table says too. */
const NOTHING_KNOWN = "loras_nothing_known";

/** @type {Record<string, (row: Lora) => string | number>} */
const VALUES = {
  name: (row) => row.name,
  kept: (row) => row.selected,
  used: (row) => row.used,
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
      ],
      details: {
        label: (row) => t("whyLora", { lora: shownName(row.name) }),
        show: (row) => this.#why(row),
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
    const recommended = answer.loras.map((/** @type {Lora} */ { name }) => this.#rows.find((row) => row.name === name));
    // Without a prompt only what keeps all from being recommended is worth a line: that there are none.
    const told = asked || (this.#rows.length === 0 && answer.reason_parts[0].key !== NOTHING_KNOWN);
    const reason = element("p", { class: "cc-note", text: messageText(t, answer.reason_parts) });
    this.#answer.replaceChildren(...(told ? [recommended.length > 0 ? this.#list(recommended) : reason] : []));
    this.#drawTable();
  }

  /** @param {Lora[]} recommended best first */
  #list(recommended) {
    const items = recommended.map((row) => element("li", {}, [nameElement(row.name, this.#short), this.#why(row)]));
    return element("ol", { class: "cc-checkpoints", "aria-label": this.#options.t("lorasRecommended") }, items);
  }

  /** @param {Lora} row */
  #why({ strength, confidence, reason_parts: reason }) {
    const { t } = this.#options;
    const sure = t("loraSure", { strength: rounded(strength), confidence: percent(confidence) });
    const texts = [sure, messageText(t, reason)];
    return element(
      "div",
      { class: "cc-branch-settings" },
      texts.map((text) => element("p", { text })),
    );
  }

  #drawTable() {
    const { key, descending } = this.#table.order;
    this.#table.show(sorted(this.#rows, VALUES[key], descending));
  }
}
