// @ts-check
/** *History*: the generations, newest first, each with its gallery, to change a verdict. */

import { formatTime } from "../components/columns.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { searchField } from "../components/search_field.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { shortNames } from "../lib/checkpoint_name.mjs";
import { button, element, field } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { percent } from "../recommender/plan.mjs";
import { Gallery } from "../recorder/gallery.mjs";
import { feedbackBody, generationFrom } from "../recorder/verdicts.mjs";
import { forgetButton } from "./forget_button.mjs";

const PAGE_SIZE = 20;
const LONGEST_NOTE = 2000;
/** Of keywords that match the typed text. */
const MOST_SUGGESTIONS = 20;
/** What each filter asks for. @type {Record<string, { judged?: boolean, kept?: boolean }>} */
const FILTERS = {
  all: {},
  kept: { kept: true },
  not_kept: { kept: false },
  judged: { judged: true },
  unjudged: { judged: false },
};
/** An image of one pixel, where images cannot be shown. */
export const NO_IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

/** @typedef {Record<string, any>} GenerationRecord */

export class HistoryTab {
  #options;
  #request;
  #filter;
  #keyword = "";
  #keywords = element("datalist", { id: "cc-history-keywords" });
  #checkpoint = element("select");
  /** Names of all checkpoints that are known. @type {Set<string>} */
  #names = new Set();
  /** @type {string | undefined} */
  #before;
  #list = element("div", { class: "cc-history" });
  #older;

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#request = new RequestLine(t);
    this.#filter = element(
      "select",
      {},
      Object.keys(FILTERS).map((name) => element("option", { value: name, text: t(`show_${name}`) })),
    );
    this.#filter.addEventListener("change", () => this.show());
    this.#checkpoint.addEventListener("change", () => this.show());
    this.#setCheckpoints([]);
    const keyword = searchField(t("historyKeyword"), (text) => {
      this.#keyword = text.toLowerCase();
      this.#suggestKeywords();
      this.show();
    });
    keyword.querySelector("input")?.setAttribute("list", this.#keywords.id);
    this.#older = button(t("older"), () => this.#load(this.#before));
    this.#older.hidden = true;
    this.element = element("div", {}, [
      element("div", { class: "cc-filters" }, [
        field(t("show"), this.#filter),
        field(t("historyCheckpoint"), this.#checkpoint),
        keyword,
        this.#keywords,
      ]),
      this.#list,
      this.#request.element,
      this.#older,
    ]);
  }

  show() {
    this.#load(undefined);
    this.#options.server
      .checkpoints()
      .then(({ checkpoints }) => this.#setCheckpoints(checkpoints.map((/** @type {any} */ row) => row.checkpoint)))
      .catch(() => {}); // the generations are shown all the same
  }

  /** @param {string[]} names of the checkpoints to filter by */
  #setCheckpoints(names) {
    const selected = this.#checkpoint.value;
    this.#names = new Set(names);
    const short = shortNames(names);
    const all = element("option", { value: "", text: this.#options.t("historyAnyCheckpoint") });
    this.#checkpoint.replaceChildren(
      all,
      ...names.map((name) => element("option", { value: name, text: short.get(name) })),
    );
    this.#checkpoint.value = names.includes(selected) ? selected : "";
  }

  /** Only a whole keyword finds generations, so those that match the typed text are suggested. */
  #suggestKeywords() {
    this.#options.server
      .statistics({ parts: ["pairs"], search: this.#keyword || undefined, limit: MOST_SUGGESTIONS })
      .then(({ pairs }) => {
        const words = new Set(pairs.map((/** @type {any} */ pair) => pair.keyword));
        this.#keywords.replaceChildren(...[...words].map(suggestion));
      })
      .catch(() => {});
  }

  hide() {
    this.#request.cancel();
  }

  /** What to do where there is none to show: run something, or choose others. */
  get #emptyNote() {
    const all = this.#filter.value === "all" && this.#keyword === "" && this.#checkpoint.value === "";
    return all ? "noGenerationsYet" : "noGenerations";
  }

  /** @param {string | undefined} before id of the oldest generation that is shown; undefined begins with the newest */
  #load(before) {
    void this.#request.send(
      () =>
        this.#options.server.generations({
          limit: PAGE_SIZE,
          before,
          ...FILTERS[this.#filter.value],
          search: this.#keyword || undefined,
          checkpoint: this.#checkpoint.value || undefined,
        }),
      ({ generations, next_before }) => {
        for (const { images } of generations) for (const { file } of images) this.#names.add(file.checkpoint);
        const short = shortNames(this.#names);
        const articles = generations.map((/** @type {GenerationRecord} */ record) => this.#article(record, short));
        if (before === undefined) this.#list.replaceChildren();
        if (before === undefined && articles.length === 0) {
          articles.push(element("p", { class: "cc-note", text: this.#options.t(this.#emptyNote) }));
        }
        this.#list.append(...articles);
        this.#before = next_before ?? undefined;
        this.#older.hidden = next_before === null;
        // The keyboard continues at the first of the older ones.
        if (before !== undefined) articles[0]?.focus();
      },
    );
  }

  /**
   * @param {GenerationRecord} record
   * @param {Map<string, string>} short
   */
  #article(record, short) {
    const { t, server, imageUrl, isBlind, onVerdictLost } = this.#options;
    const generation = generationFrom(record);
    const images = imageUrl ? generation.images : generation.images.map((image) => ({ ...image, filename: "" }));
    let refresh = () => {}; // the gallery calls it from its constructor
    const gallery = new Gallery(
      { ...generation, images },
      {
        t,
        isBlind,
        short,
        save: (body) => server.sendFeedback(body),
        imageUrl: imageUrl ?? (() => NO_IMAGE),
        onVerdictLost,
        onResize: () => {},
        onJudged: () => refresh(),
        onContinue: () => {},
      },
    );
    const withdraw = button(t("withdraw"), () => gallery.withdraw());
    refresh = () => {
      const { selected_images, rejected_images } = feedbackBody(gallery.generationId, gallery.images);
      const none = selected_images.length + rejected_images.length === 0;
      withdraw.setAttribute("aria-disabled", String(none));
    };
    refresh();
    const time = formatTime(record.created_at, t);
    const summary = { time, confidence: percent(record.confidence), stage: record.stage };
    const forget = forgetButton(this.#options, "Generation", { generation_id: record.id }, () => {
      const next = article.nextElementSibling ?? article.previousElementSibling;
      article.remove();
      if (next instanceof HTMLElement) next.focus();
    });
    const article = element("article", { "aria-label": t("generationOf", { time }), tabindex: "-1" }, [
      element("header", {}, [
        element("span", { class: "cc-note", text: t("generationSummary", summary) }),
        element("bdi", { class: "cc-prompt", text: record.prompt, title: record.prompt }),
      ]),
      gallery.element,
      this.#note(record),
      element("div", { class: "cc-actions" }, [withdraw, forget]),
    ]);
    return article;
  }

  /**
   * The person's own words on a generation; saved when the field is left.
   *
   * @param {GenerationRecord} record
   */
  #note(record) {
    const { t, server } = this.#options;
    const status = new StatusLine();
    const text = element("textarea", { rows: "1", maxlength: String(LONGEST_NOTE) });
    text.value = record.note ?? "";
    text.addEventListener("change", async () => {
      try {
        await server.setNote(record.id, text.value);
        status.show(t("noteSaved"), "saved");
      } catch (error) {
        status.showError(t, "noteNotSaved", error);
      }
    });
    return element("div", { class: "cc-own-note" }, [field(t("note"), text), status.element]);
  }
}

/** @param {string} word what it finds, and beside it how the word is shown where that is another text */
function suggestion(word) {
  const label = shownName(word);
  return element("option", { value: word, label: label === word ? undefined : label });
}
