// @ts-check
/**
 * *Overview*: how much was learned, what it saved, and how it went over time; and how far the server has come where
 * it still counts a long log, or recomputes what was learned.
 */

import { element } from "../lib/dom.mjs";
import { percent } from "../recommender/plan.mjs";
import { Asking } from "./asking.mjs";
import { amount, moment } from "./cells.mjs";
import { plot } from "./plot.mjs";
import { shares, summed } from "./progress.mjs";

const LOOK_AGAIN_MS = 2000;
const UNDER_WAY = /** @type {const} */ (["recomputing", "counting"]);

export class OverviewTab {
  #parts;
  #asking;
  #first;
  #underWay = element("p", { class: "cc-note cc-under-way" });
  #content = element("div", { class: "cc-overview" });
  /** @type {number | undefined} */
  #next;

  /** @param {PanelParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#first = parts.overview ?? null;
    this.#asking = new Asking(parts.say);
    this.element = element("div", {}, [this.#asking.element, this.#underWay, this.#content]);
  }

  show() {
    clearTimeout(this.#next);
    void this.#asking.ask(
      () => Promise.all([this.#first ?? this.#parts.server.overview(), this.#parts.server.health()]),
      ([{ overview, series }, { put_aside, away }]) => {
        this.#draw(overview, series);
        if (put_aside.length > 0) this.#warn("damaged", { file: put_aside[0] });
        if (away) this.#warn("away");
        this.#tell(overview);
      },
    );
    this.#first = null; // what is asked later is asked anew
  }

  hide() {
    clearTimeout(this.#next);
    this.#asking.drop();
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  #warn(key, values) {
    const text = this.#parts.say(key, values);
    this.#content.prepend(element("p", { class: "cc-warning cc-under-way", text }));
  }

  /**
   * How far it is with what goes on beside the work, for as long as somebody looks; the figures when it is done.
   *
   * @param {Record<string, any>} counts
   */
  #tell(counts) {
    const goingOn = UNDER_WAY.filter((name) => counts[name]);
    this.#underWay.textContent = goingOn
      .map((name) => this.#parts.say(name, { done: amount(counts[name].done), of: amount(counts[name].of) }))
      .join(" ");
    this.#underWay.hidden = goingOn.length === 0;
    if (goingOn.length > 0) this.#next = window.setTimeout(() => this.#lookAgain(), LOOK_AGAIN_MS);
  }

  #lookAgain() {
    void this.#asking.ask(
      () => this.#parts.server.statistics({ parts: ["overview"] }),
      ({ overview }) => (UNDER_WAY.some((name) => overview[name]) ? this.#tell(overview) : this.show()),
      true,
    );
  }

  /**
   * @param {Record<string, any>} counts
   * @param {Point[]} points
   */
  #draw(counts, points) {
    const { say } = this.#parts;
    if (counts.generations === 0) {
      const told = counts.counting ? "" : say("nothingLearned"); // of a long log nothing was counted yet
      this.#content.replaceChildren(element("p", { class: "cc-note", text: told }));
      return;
    }
    this.#content.replaceChildren(
      this.#figures(counts, points),
      element("p", {
        class: "cc-note",
        text: say("between", { first: moment(counts.first_at, say), last: moment(counts.last_at, say) }),
      }),
      element("div", { class: "cc-plots" }, [
        plot(say("confidence"), say("confidenceHelp"), shares(points, "confidence", "generations"), say),
        plot(say("exploitRate"), say("exploitRateHelp"), shares(points, "exploited", "generations"), say),
        plot(say("agreement"), say("agreementHelp"), shares(points, "agreed", "judged"), say),
      ]),
    );
  }

  /**
   * @param {Record<string, any>} counts
   * @param {Point[]} points
   */
  #figures(counts, points) {
    const { say } = this.#parts;
    const { agreement, saved, images, images_saved } = summed(points);
    const savedHelp = say("imagesSavedHelp", {
      share: saved === null ? "–" : percent(saved),
      all: amount(images + images_saved),
    });
    const learnedOf = say("learnedOfValue", {
      keywords: amount(counts.keywords),
      checkpoints: amount(counts.checkpoints),
    });
    /** @type {[string, string, string?][]} */
    const figures = [
      ["prompts", amount(counts.generations)],
      ["verdicts", amount(counts.judged)],
      ["imagesKept", amount(counts.selected)],
      ["imagesRejected", amount(counts.rejected)],
      ["imagesSaved", amount(images_saved), savedHelp],
      ["agreement", agreement === null ? "–" : percent(agreement), say("agreementHelp")],
      ["learnedOf", learnedOf],
    ];
    return element(
      "dl",
      { class: "cc-figures" },
      figures.map(([name, value, help]) =>
        element("div", { "data-figure": name }, [
          element("dt", { text: say(name) }),
          element("dd", { text: value }),
          help ? element("dd", { class: "cc-note", text: help }) : null,
        ]),
      ),
    );
  }
}
