// @ts-check
/** Shows a recommender's plan: which checkpoints, how sure, and why. Knows neither ComfyUI nor a node. */

import { nameElement } from "./checkpoint_name.mjs";
import { element } from "./elements.mjs";
import { percent, planFrom, strategyInWords } from "./plan.mjs";

/** @typedef {import("./texts.mjs").Say} Say */

export class PlanView {
  #say;
  #resized;

  /** @param {{ say: Say, resized: () => void }} parts */
  constructor({ say, resized }) {
    this.#say = say;
    this.#resized = resized;
    this.element = element("div", { class: "cc-plan" });
    this.show([]);
  }

  /** @param {Record<string, any>[]} records one for each prompt the node ran for */
  show(records) {
    const shown = records.map((record) => this.#section(record));
    const note = element("p", { class: "cc-note", text: this.#say("noPlanYet") });
    this.element.replaceChildren(...(shown.length > 0 ? shown : [note]));
    this.#resized();
  }

  /** @param {Record<string, any>} record */
  #section(record) {
    const say = this.#say;
    const plan = planFrom(record);
    const names = plan.checkpoints.map((name) => element("li", {}, [nameElement(name)]));
    return element("section", { class: "cc-planned" }, [
      element("ol", { class: "cc-checkpoints", "aria-label": say("planned") }, names),
      element("p", { class: "cc-strategy", text: strategyInWords(plan, say) }),
      ...(plan.fallback ? [] : this.#meters(plan)),
      element("p", { class: "cc-explanation", text: plan.explanation }),
    ]);
  }

  /** @param {import("./plan.mjs").Plan} plan */
  #meters(plan) {
    return /** @type {const} */ (["confidence", "evidence", "clarity"]).map((measure) =>
      this.#meter(this.#say(measure), plan[measure], this.#say(`${measure}Help`)),
    );
  }

  /**
   * @param {string} name
   * @param {number} value in 0..1
   * @param {string} help
   */
  #meter(name, value, help) {
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
}
