// @ts-check
/** *Try a prompt*: what it would get, and why, without running anything. */

import { element, field } from "../lib/dom.mjs";
import { PlanView } from "../recommender/plan_view.mjs";

export class TryTab {
  #parts;
  #prompt = element("textarea", { rows: "3" });
  #candidates = element("textarea", { rows: "4" });
  #plan;
  /** The candidates have been listed, or cannot be. @type {Promise<void>} */
  #listed = Promise.resolve();

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say, server, inComfyUI } = parts;
    this.#parts = parts;
    this.#plan = new PlanView({
      say,
      resized: () => {},
      preview: async () => server.recommend(await this.#asked()),
      explain: async () => server.explain(await this.#asked()),
      askLabel: say("tryNow"),
      emptyNote: "",
    });
    this.element = element("div", { class: "cc-try" }, [
      field(say("tryPrompt"), this.#prompt),
      inComfyUI
        ? element("p", { class: "cc-note", text: say("tryPool") })
        : field(say("tryCandidates"), this.#candidates),
      this.#plan.element,
    ]);
  }

  show() {
    if (this.#parts.inComfyUI || this.#candidates.value !== "") return;
    this.#listed = this.#parts.server
      .checkpoints()
      .then(({ checkpoints }) => {
        if (this.#candidates.value !== "") return;
        const names = checkpoints.map((/** @type {any} */ row) => row.checkpoint);
        this.#candidates.value = names.join("\n");
      })
      .catch(() => {}); // the person can name them
  }

  async #asked() {
    await this.#listed;
    const prompt = this.#prompt.value;
    if (this.#parts.inComfyUI) return { prompt };
    const names = this.#candidates.value.split("\n").map((name) => name.trim());
    const candidates = names.filter((name) => name !== "");
    if (candidates.length === 0) throw new Error(this.#parts.say("tryNoCandidates"));
    return { prompt, candidates };
  }
}
