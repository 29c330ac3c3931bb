// @ts-check
/**
 * Shows a plan: the checkpoints, the confidence and the reasons. It is the plan of the last run or, before queueing, a
 * preview of the next. Knows neither ComfyUI nor a node.
 */

import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { settingsElement } from "./branch_settings.mjs";
import { negativeWordsView } from "./negative_words_view.mjs";
import { explanationText, percent, planFrom, progressText, strategyText } from "./plan.mjs";

/** How long after the last key a preview is requested. */
const DEBOUNCE_MS = 500;

export class PlanView {
  #options;
  #heading;
  #plans = element("div");
  #status = element("p", { class: "cc-status", role: "status" });
  #reasons = element("div", { class: "cc-why" });
  #whyButton;
  #wordsButton;
  /** Counts requests, so that a response that a newer one has overtaken is dropped. */
  #newest = 0;
  #timer = 0;

  /** @param {PlanOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#heading = element("p", { class: "cc-preview-heading", text: t("previewHeading") });
    this.#whyButton = button(t("why"), () => void this.#toggle(this.#whyButton, "whyFailed"), {
      "aria-expanded": "false",
    });
    this.#wordsButton = button(t("negativeWords"), () => void this.#toggle(this.#wordsButton, "negativeFailed"), {
      "aria-expanded": "false",
    });
    const shown = [this.#heading, this.#plans];
    const actions = [this.#actions(), this.#status];
    // On a node the plan comes first; where a prompt is typed above, the buttons stay below it.
    const parts = options.actionsFirst ? [...actions, ...shown] : [...shown, ...actions];
    this.element = element("div", { class: "cc-plan" }, [...parts, this.#reasons]);
    this.show([]);
  }

  #actions() {
    const { t, preview, explain, suggest, previewLabel } = this.#options;
    if (!preview) return null;
    return element("div", { class: "cc-actions" }, [
      button(previewLabel ?? t("previewPlan"), () => void this.preview()),
      explain ? this.#whyButton : null,
      suggest ? this.#wordsButton : null,
    ]);
  }

  /** @param {Record<string, any>[]} records of the last run, one for each prompt of the node */
  show(records) {
    this.#overtake();
    const { t, emptyNote } = this.#options;
    const note = element("p", { class: "cc-note cc-no-plan", text: emptyNote ?? t("noPlanYet") });
    this.#draw(records.length > 0 ? records.map((record) => this.#section(record)) : [note], false);
  }

  /** Show a preview once the person stops typing. */
  previewSoon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.preview(), DEBOUNCE_MS);
  }

  /** Show the plan for the present inputs. */
  async preview() {
    const { preview, t } = this.#options;
    if (!preview) return;
    const own = this.#overtake();
    try {
      const record = await preview();
      if (own === this.#newest) this.#draw([this.#section(record)], true);
    } catch (error) {
      if (own === this.#newest) this.#showError(t("previewFailed", { reason: error }));
    }
  }

  /** Drop the response of whatever request is under way. */
  close() {
    this.#overtake();
  }

  /**
   * Show or hide what a button is for.
   *
   * @param {HTMLButtonElement} pressed
   * @param {string} failed key of the text where it cannot be loaded
   */
  async #toggle(pressed, failed) {
    if (pressed.getAttribute("aria-expanded") === "true") {
      this.#hideReasons();
      this.#options.onResize();
      return;
    }
    const own = this.#overtake();
    try {
      const content = await (pressed === this.#whyButton ? this.#loadReasons() : this.#loadWords());
      if (own !== this.#newest || !content) return;
      this.#hideReasons();
      this.#status.textContent = "";
      pressed.setAttribute("aria-expanded", "true");
      this.#reasons.replaceChildren(content);
      this.#options.onResize();
    } catch (error) {
      if (own === this.#newest) this.#showError(this.#options.t(failed, { reason: error }));
    }
  }

  async #loadReasons() {
    const { explain, t } = this.#options;
    if (!explain) return null;
    // First here, because the page should load little.
    const { explanationView } = await import("./explanation_view.mjs");
    return explanationView(await explain(), t);
  }

  /** @param {string} checkpoint */
  async #run(checkpoint) {
    const { run, t, onResize } = this.#options;
    try {
      await run?.(checkpoint);
      this.#status.textContent = t("runQueued", { checkpoint: shownName(checkpoint) });
    } catch (error) {
      this.#status.textContent = t("runFailed", { reason: error });
    }
    onResize();
  }

  async #loadWords() {
    const { suggest, t } = this.#options;
    return suggest ? negativeWordsView(await suggest(), t, (word, item) => void this.#addWord(word, item)) : null;
  }

  /**
   * @param {string} word
   * @param {HTMLElement} item
   */
  async #addWord(word, item) {
    const { addWord, t, onResize } = this.#options;
    try {
      this.#status.textContent = (await addWord?.(word)) ?? "";
      item.remove();
    } catch (error) {
      this.#status.textContent = t("negativeNotAdded", { reason: error });
    }
    onResize();
  }

  #overtake() {
    clearTimeout(this.#timer);
    this.#newest += 1;
    return this.#newest;
  }

  /**
   * @param {HTMLElement[]} sections
   * @param {boolean} previewed
   */
  #draw(sections, previewed) {
    this.#heading.hidden = !previewed;
    this.#plans.replaceChildren(...sections);
    this.#status.textContent = "";
    this.#hideReasons();
    this.#options.onResize();
  }

  #hideReasons() {
    for (const pressed of [this.#whyButton, this.#wordsButton]) pressed.setAttribute("aria-expanded", "false");
    this.#reasons.replaceChildren();
  }

  /** @param {string} text */
  #showError(text) {
    this.#status.textContent = text;
    this.#options.onResize();
  }

  /** @param {Record<string, any>} record */
  #section(record) {
    const { t } = this.#options;
    const plan = planFrom(record);
    const short = shortNames(plan.checkpoints);
    const names = plan.checkpoints.map((name, place) =>
      element("li", {}, [
        nameElement(name, short),
        plan.branches[place] ? settingsElement(plan.branches[place], t) : null,
        this.#options.run
          ? button(t("runWithIt"), () => void this.#run(name), {
              "aria-label": t("runWith", { checkpoint: shownName(name) }),
            })
          : null,
      ]),
    );
    return element("section", { class: "cc-plan-section" }, [
      element("ol", { class: "cc-checkpoints", "aria-label": t("planned") }, names),
      element("p", { class: "cc-strategy", text: strategyText(plan, t) }),
      plan.progress
        ? element("p", { class: "cc-progress", title: t("progressHelp"), text: progressText(plan.progress, t) })
        : null,
      ...this.#meters(plan, "confidence"),
      element("p", { class: "cc-explanation", text: explanationText(plan, t) }),
      ...this.#meters(plan, "evidence", "clarity"),
    ]);
  }

  /**
   * @param {Plan} plan
   * @param {("confidence" | "evidence" | "clarity")[]} measures
   */
  #meters(plan, ...measures) {
    const { t } = this.#options;
    if (plan.fallback) return [];
    return measures.map((measure) => meter(t(measure), plan[measure], t(`${measure}Help`)));
  }
}

/**
 * @param {string} name
 * @param {number} value in 0..1
 * @param {string} help
 */
function meter(name, value, help) {
  const filled = element("span", { class: "cc-meter-fill" });
  filled.style.inlineSize = `${100 * value}%`;
  const bar = {
    class: "cc-bar",
    role: "meter",
    "aria-label": name,
    "aria-valuemin": "0",
    "aria-valuemax": "1",
    "aria-valuenow": String(value),
    "aria-valuetext": percent(value),
  };
  return element("div", { class: "cc-meter", title: help }, [
    element("span", { class: "cc-meter-name", text: name }),
    element("span", bar, [filled]),
    element("span", { class: "cc-meter-value", text: percent(value), "aria-hidden": "true" }),
  ]);
}
