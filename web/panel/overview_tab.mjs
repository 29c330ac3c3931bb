// @ts-check
/** *Overview*: how much was learned, what it saved, and how it went over time. */

import { element } from "../elements.mjs";
import { percent } from "../plan.mjs";
import { Asking } from "./asking.mjs";
import { amount, moment } from "./cells.mjs";
import { plot } from "./plot.mjs";
import { shares, summed } from "./progress.mjs";

export class OverviewTab {
  #parts;
  #asking;
  #first;
  #content = element("div", { class: "cc-overview" });

  /** @param {PanelParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#first = parts.overview ?? null;
    this.#asking = new Asking(parts.say);
    this.element = element("div", {}, [this.#asking.element, this.#content]);
  }

  show() {
    void this.#asking.ask(
      () => this.#first ?? this.#parts.server.overview(),
      ({ overview, series }) => this.#draw(overview, series),
    );
    this.#first = null; // what is asked later is asked anew
  }

  hide() {
    this.#asking.drop();
  }

  /**
   * @param {Record<string, any>} counts
   * @param {Point[]} points
   */
  #draw(counts, points) {
    const { say } = this.#parts;
    if (counts.generations === 0) {
      this.#content.replaceChildren(element("p", { class: "cc-note", text: say("nothingLearned") }));
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
