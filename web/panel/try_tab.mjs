// @ts-check
/** *Try a prompt*: what it would get, and why, without running anything. */

import { element, field } from "../elements.mjs";
import { PlanView } from "../plan_view.mjs";

export class TryTab {
  #parts;
  #prompt = element("textarea", { rows: "3" });
  #candidates = element("textarea", { rows: "4" });
  #plan;

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say, server, inComfyUI } = parts;
    this.#parts = parts;
    this.#plan = new PlanView({
      say,
      resized: () => {},
      preview: () => server.recommend(this.#asked()),
      explain: () => server.explain(this.#asked()),
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
    this.#parts.server
      .checkpoints()
      .then(({ checkpoints }) => {
        if (this.#candidates.value !== "") return;
        const names = checkpoints.map((/** @type {any} */ row) => row.checkpoint);
        this.#candidates.value = names.join("\n");
      })
      .catch(() => {}); // the person can name them
  }

  #asked() {
    const prompt = this.#prompt.value;
    if (this.#parts.inComfyUI) return { prompt };
    const names = this.#candidates.value.split("\n").map((name) => name.trim());
    return { prompt, candidates: names.filter((name) => name !== "") };
  }
}
