// @ts-check
/**
 * *Overview*: how much was learned, what it saved, and how that changed over time; and the progress of the server's
 * background tasks.
 */

import { formatNumber, formatTime } from "../components/columns.mjs";
import { plot } from "../components/plot.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { element } from "../lib/dom.mjs";
import { percent } from "../recommender/plan.mjs";
import { shares, totals } from "./series.mjs";
import { StartGuide } from "./start_guide.mjs";

const POLL_INTERVAL_MS = 2000;
const BACKGROUND_TASKS = /** @type {const} */ (["recomputing", "counting"]);

export class OverviewTab {
  #options;
  #request;
  #requested;
  #progress = element("p", { class: "cc-note cc-background-task" });
  #content = element("div", { class: "cc-overview" });
  #guide;
  /** @type {number | undefined} */
  #next;

  /** @param {PanelOptions} options */
  constructor(options) {
    this.#options = options;
    this.#requested = options.overview ?? null;
    this.#request = new RequestLine(options.t);
    this.#guide = options.workflows ? new StartGuide(options, options.workflows) : null;
    this.element = element("div", {}, [
      this.#request.element,
      this.#progress,
      this.#guide ? this.#guide.element : null,
      this.#content,
    ]);
  }

  show() {
    clearTimeout(this.#next);
    void this.#request.send(
      () => this.#load(),
      ({ health, figures }) => {
        if (figures) this.#draw(figures.overview, figures.series);
        else this.#content.replaceChildren();
        if (health.put_aside.length > 0) this.#warn("databaseDamaged", { file: health.put_aside[0] });
        if (health.waiting > 0) this.#warn("entriesWait", { count: formatNumber(health.waiting) });
        if (health.away) this.#warn("databaseOffline");
        this.#showProgress(figures?.overview ?? {});
        if (figures) void this.#guide?.show(figures.overview.judged === 0);
      },
    );
    this.#requested = null; // later requests are sent again
  }

  /** The state of the server, and the figures: none while the database server is away. */
  async #load() {
    const requested = this.#requested ?? this.#options.server.overview();
    const [health, figures] = await Promise.allSettled([this.#options.server.health(), requested]);
    if (health.status === "rejected") throw health.reason;
    if (figures.status === "rejected" && !health.value.away) throw figures.reason;
    return { health: health.value, figures: figures.status === "fulfilled" ? figures.value : null };
  }

  hide() {
    clearTimeout(this.#next);
    this.#guide?.hide();
    this.#request.cancel();
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  #warn(key, values) {
    const text = this.#options.t(key, values);
    this.#content.prepend(element("p", { class: "cc-warning cc-background-task", text }));
  }

  /**
   * Show the progress of background tasks while the tab is open, and the figures when they are done.
   *
   * @param {Record<string, any>} counts
   */
  #showProgress(counts) {
    const running = BACKGROUND_TASKS.filter((name) => counts[name]);
    this.#progress.textContent = running
      .map((name) =>
        this.#options.t(name, { done: formatNumber(counts[name].done), of: formatNumber(counts[name].of) }),
      )
      .join(" ");
    this.#progress.hidden = running.length === 0;
    if (running.length > 0) this.#next = window.setTimeout(() => this.#poll(), POLL_INTERVAL_MS);
  }

  #poll() {
    void this.#request.send(
      () => this.#options.server.statistics({ parts: ["overview"] }),
      ({ overview }) => (BACKGROUND_TASKS.some((name) => overview[name]) ? this.#showProgress(overview) : this.show()),
      true,
    );
  }

  /**
   * @param {Record<string, any>} counts
   * @param {Point[]} points
   */
  #draw(counts, points) {
    const { t } = this.#options;
    if (counts.generations === 0) {
      // Nothing of a long log has been counted yet, or the guide says what to do.
      const note = counts.counting || this.#guide ? "" : t("nothingLearned");
      this.#content.replaceChildren(element("p", { class: "cc-note", text: note }));
      return;
    }
    this.#content.replaceChildren(
      this.#figures(counts, points),
      element("p", {
        class: "cc-note",
        text: t("period", { first: formatTime(counts.first_at, t), last: formatTime(counts.last_at, t) }),
      }),
      element("div", { class: "cc-plots" }, [
        plot(t("confidence"), t("confidenceHelp"), shares(points, "confidence", "generations"), t),
        plot(t("exploitRate"), t("exploitRateHelp"), shares(points, "exploited", "generations"), t),
        plot(t("agreement"), t("agreementHelp"), shares(points, "agreed", "judged"), t),
      ]),
    );
  }

  /**
   * @param {Record<string, any>} counts
   * @param {Point[]} points
   */
  #figures(counts, points) {
    const { t } = this.#options;
    const { agreement, saved, images, images_saved } = totals(points);
    const savedHelp = t("imagesSavedHelp", {
      share: saved === null ? "–" : percent(saved),
      all: formatNumber(images + images_saved),
    });
    const learned = t("learnedCounts", {
      keywords: formatNumber(counts.keywords),
      checkpoints: formatNumber(counts.checkpoints),
    });
    /** @type {[string, string, string?][]} */
    const figures = [
      ["prompts", formatNumber(counts.generations)],
      ["verdicts", formatNumber(counts.judged)],
      ["imagesKept", formatNumber(counts.selected)],
      ["imagesRejected", formatNumber(counts.rejected)],
      ["imagesSaved", formatNumber(images_saved), savedHelp],
      ["agreement", agreement === null ? "–" : percent(agreement), t("agreementHelp")],
      ["learned", learned],
    ];
    return element(
      "dl",
      { class: "cc-figures" },
      figures.map(([name, value, help]) =>
        element("div", { "data-figure": name }, [
          element("dt", { text: t(name) }),
          element("dd", { text: value }),
          help ? element("dd", { class: "cc-note", text: help }) : null,
        ]),
      ),
    );
  }
}
