// @ts-check
/**
 * Shows a recommender's plan: which checkpoints, how sure, and why; that of the last run, and before queueing what
 * the plan would be now. Knows neither ComfyUI nor a node.
 */

import { nameElement } from "../lib/checkpoint_name.mjs";
import { button, element } from "../lib/dom.mjs";
import { explanationInWords, percent, planFrom, strategyInWords } from "./plan.mjs";
import { reasons } from "./reasons.mjs";

/** How long nobody may have typed before it is asked what the prompt would get. */
const PAUSE_MS = 500;

export class PlanView {
  #parts;
  #heading;
  #plans = element("div");
  #status = element("p", { class: "cc-status", role: "status" });
  #why = element("div", { class: "cc-why" });
  #asker;
  /** Counts questions, so that an answer that something newer has overtaken is dropped. */
  #newest = 0;
  #timer = 0;

  /** @param {PlanParts} parts */
  constructor(parts) {
    const { say, preview, explain } = parts;
    this.#parts = parts;
    this.#heading = element("p", { class: "cc-previewed", text: say("previewed") });
    this.#asker = button(say("why"), () => void this.#toggleWhy(), { "aria-expanded": "false" });
    this.element = element("div", { class: "cc-plan" }, [
      preview
        ? element("div", { class: "cc-actions" }, [
            button(parts.askLabel ?? say("whatNow"), () => void this.preview()),
            explain ? this.#asker : null,
          ])
        : null,
      this.#status,
      this.#heading,
      this.#plans,
      this.#why,
    ]);
    this.show([]);
  }

  /** @param {Record<string, any>[]} records of the last run, one for each prompt the node ran for */
  show(records) {
    this.#overtake();
    const { say, emptyNote } = this.#parts;
    const note = element("p", { class: "cc-note", text: emptyNote ?? say("noPlanYet") });
    this.#draw(records.length > 0 ? records.map((record) => this.#section(record)) : [note], false);
  }

  /** Show what would be recommended once nobody has typed for a moment. */
  previewSoon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.preview(), PAUSE_MS);
  }

  /** Show what would be recommended now. */
  async preview() {
    const { preview, say } = this.#parts;
    if (!preview) return;
    const own = this.#overtake();
    try {
      const record = await preview();
      if (own === this.#newest) this.#draw([this.#section(record)], true);
    } catch (error) {
      if (own === this.#newest) this.#failed(say("previewFailed", { reason: error }));
    }
  }

  /** Nobody looks any more. */
  close() {
    this.#overtake();
  }

  async #toggleWhy() {
    const { explain, say } = this.#parts;
    if (!explain) return;
    if (this.#asker.getAttribute("aria-expanded") === "true") {
      this.#foldWhy();
      this.#parts.resized();
      return;
    }
    const own = this.#overtake();
    try {
      const explained = await explain();
      if (own !== this.#newest) return;
      this.#asker.setAttribute("aria-expanded", "true");
      this.#why.replaceChildren(reasons(explained, say));
      this.#parts.resized();
    } catch (error) {
      if (own === this.#newest) this.#failed(say("whyFailed", { reason: error }));
    }
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
    this.#foldWhy();
    this.#parts.resized();
  }

  #foldWhy() {
    this.#asker.setAttribute("aria-expanded", "false");
    this.#why.replaceChildren();
  }

  /** @param {string} text */
  #failed(text) {
    this.#status.textContent = text;
    this.#parts.resized();
  }

  /** @param {Record<string, any>} record */
  #section(record) {
    const { say } = this.#parts;
    const plan = planFrom(record);
    const names = plan.checkpoints.map((name) => element("li", {}, [nameElement(name)]));
    return element("section", { class: "cc-planned" }, [
      element("ol", { class: "cc-checkpoints", "aria-label": say("planned") }, names),
      element("p", { class: "cc-strategy", text: strategyInWords(plan, say) }),
      ...(plan.fallback ? [] : this.#meters(plan)),
      element("p", { class: "cc-explanation", text: explanationInWords(plan, say) }),
    ]);
  }

  /** @param {Plan} plan */
  #meters(plan) {
    const { say } = this.#parts;
    return /** @type {const} */ (["confidence", "evidence", "clarity"]).map((measure) =>
      meter(say(measure), plan[measure], say(`${measure}Help`)),
    );
  }
}

/**
 * @param {string} name
 * @param {number} value in 0..1
 * @param {string} help
 */
function meter(name, value, help) {
  const filled = element("span", { class: "cc-filled" });
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
