// @ts-check
/** *History*: the rounds, newest first, each with its gallery, to judge again. */

import { shortName } from "../lib/checkpoint_name.mjs";
import { button, element, field } from "../lib/dom.mjs";
import { percent } from "../recommender/plan.mjs";
import { Gallery } from "../recorder/gallery.mjs";
import { feedbackBody, roundFrom } from "../recorder/verdicts.mjs";
import { Asking } from "./asking.mjs";
import { moment } from "./cells.mjs";
import { forgetting } from "./forgetting.mjs";
import { searchField } from "./search_field.mjs";

const ROUNDS = 20;
/** Of the keywords that begin to fit what is typed. */
const SUGGESTED = 20;
const FILTERS = /** @type {const} */ (["all", "judged", "unjudged"]);
/** A one-pixel picture, where images cannot be had. */
const NO_IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

/** @typedef {Record<string, any>} Generation */

export class HistoryTab {
  #parts;
  #asking;
  #filter;
  #keyword = "";
  #keywords = element("datalist", { id: "cc-history-keywords" });
  #checkpoint = element("select");
  /** @type {string | undefined} */
  #before;
  #rounds = element("div", { class: "cc-history" });
  #older;

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say } = parts;
    this.#parts = parts;
    this.#asking = new Asking(say);
    this.#filter = element(
      "select",
      {},
      FILTERS.map((name) => element("option", { value: name, text: say(`show_${name}`) })),
    );
    this.#filter.addEventListener("change", () => this.show());
    this.#checkpoint.addEventListener("change", () => this.show());
    this.#offer([]);
    const keyword = searchField(say("historyKeyword"), (text) => {
      this.#keyword = text.toLowerCase();
      this.#suggest();
      this.show();
    });
    keyword.querySelector("input")?.setAttribute("list", this.#keywords.id);
    this.#older = button(say("older"), () => this.#read(this.#before));
    this.#older.hidden = true;
    this.element = element("div", {}, [
      element("div", { class: "cc-filters" }, [
        field(say("show"), this.#filter),
        field(say("historyCheckpoint"), this.#checkpoint),
        keyword,
        this.#keywords,
      ]),
      this.#rounds,
      this.#asking.element,
      this.#older,
    ]);
  }

  show() {
    this.#read(undefined);
    this.#parts.server
      .checkpoints()
      .then(({ checkpoints }) => this.#offer(checkpoints.map((/** @type {any} */ row) => row.checkpoint)))
      .catch(() => {}); // the rounds are told all the same
  }

  /** @param {string[]} names of checkpoints, to show those rounds alone that they made an image of */
  #offer(names) {
    const chosen = this.#checkpoint.value;
    const all = element("option", { value: "", text: this.#parts.say("historyAnyCheckpoint") });
    this.#checkpoint.replaceChildren(
      all,
      ...names.map((name) => element("option", { value: name, text: shortName(name) })),
    );
    this.#checkpoint.value = names.includes(chosen) ? chosen : "";
  }

  /** A round is found by a whole keyword, so those that begin to fit are offered. */
  #suggest() {
    this.#parts.server
      .statistics({ parts: ["pairs"], search: this.#keyword || undefined, limit: SUGGESTED })
      .then(({ pairs }) => {
        const words = new Set(pairs.map((/** @type {any} */ pair) => pair.keyword));
        this.#keywords.replaceChildren(...[...words].map((word) => element("option", { value: word })));
      })
      .catch(() => {});
  }

  hide() {
    this.#asking.drop();
  }

  /** @param {string | undefined} before id of the oldest round that is shown; undefined begins anew */
  #read(before) {
    const judged = { all: undefined, judged: true, unjudged: false }[this.#filter.value];
    void this.#asking.ask(
      () =>
        this.#parts.server.generations({
          limit: ROUNDS,
          before,
          judged,
          keyword: this.#keyword || undefined,
          checkpoint: this.#checkpoint.value || undefined,
        }),
      ({ generations, next_before }) => {
        const read = generations.map((/** @type {Generation} */ one) => this.#round(one));
        if (before === undefined) this.#rounds.replaceChildren();
        if (before === undefined && read.length === 0) {
          read.push(element("p", { class: "cc-note", text: this.#parts.say("noRounds") }));
        }
        this.#rounds.append(...read);
        this.#before = next_before ?? undefined;
        this.#older.hidden = next_before === null;
        // Whoever asked by the keyboard goes on reading at the first of the older ones.
        if (before !== undefined) read[0]?.focus();
      },
    );
  }

  /** @param {Generation} generation */
  #round(generation) {
    const { say, server, imageUrl, blind } = this.#parts;
    const round = roundFrom(generation);
    const images = imageUrl ? round.images : round.images.map((image) => ({ ...image, filename: "" }));
    let refresh = () => {}; // the gallery tells of its verdict while it is made
    const gallery = new Gallery(
      { ...round, images },
      {
        say,
        blind,
        save: (body) => server.sendFeedback(body),
        imageUrl: imageUrl ?? (() => NO_IMAGE),
        lost: this.#parts.lost,
        resized: () => {},
        judged: () => refresh(),
        goOn: () => {},
      },
    );
    const withdraw = button(say("withdraw"), () => gallery.withdraw());
    refresh = () => {
      const { selected_images, rejected_images } = feedbackBody(gallery.generationId, gallery.images);
      const none = selected_images.length + rejected_images.length === 0;
      withdraw.setAttribute("aria-disabled", String(none));
    };
    refresh();
    const time = moment(generation.created_at, say);
    const said = { time, confidence: percent(generation.confidence), stage: generation.stage };
    const forget = forgetting(this.#parts, "Round", { generation_id: generation.id }, () => {
      const next = article.nextElementSibling ?? article.previousElementSibling;
      article.remove();
      if (next instanceof HTMLElement) next.focus();
    });
    const article = element("article", { "aria-label": say("roundOf", { time }), tabindex: "-1" }, [
      element("header", {}, [
        element("span", { class: "cc-note", text: say("roundSaid", said) }),
        element("bdi", { class: "cc-prompt", text: generation.prompt, title: generation.prompt }),
      ]),
      gallery.element,
      element("div", { class: "cc-actions" }, [withdraw, forget]),
    ]);
    return article;
  }
}
