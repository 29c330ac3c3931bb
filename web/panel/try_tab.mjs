// @ts-check
/** *Try*: what would be recommended for a prompt, and why, without running anything. */

import { element, field } from "../lib/dom.mjs";
import { PlanView } from "../recommender/plan_view.mjs";

export class TryTab {
  #options;
  #prompt = element("textarea", { rows: "3" });
  #candidates = element("textarea", { rows: "4" });
  #plan;
  #asked = "";
  /** Resolves when the candidates are listed, or cannot be. @type {Promise<void>} */
  #listed = Promise.resolve();

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t, server, inComfyUI } = options;
    this.#options = options;
    this.#plan = new PlanView({
      t,
      onResize: () => {},
      preview: async () => server.recommend(await this.#body()),
      explain: async () => server.explain(await this.#body()),
      run: this.#options.runWith && ((checkpoint) => this.#run(checkpoint)),
      previewLabel: t("tryNow"),
      emptyNote: t("tryEmpty"),
      actionsFirst: true,
    });
    this.element = element("div", { class: "cc-try" }, [
      field(t("tryPrompt"), this.#prompt),
      inComfyUI ? element("p", { class: "cc-note", text: t("tryPool") }) : field(t("tryCandidates"), this.#candidates),
      this.#plan.element,
    ]);
  }

  show() {
    if (this.#options.inComfyUI || this.#candidates.value !== "") return;
    this.#listed = this.#options.server
      .checkpoints()
      .then(({ checkpoints }) => {
        if (this.#candidates.value !== "") return;
        const names = checkpoints.map((/** @type {any} */ row) => row.checkpoint);
        this.#candidates.value = names.join("\n");
      })
      .catch(() => {}); // the person can type them
  }

  /**
   * The prompt that the plan is for: what was typed since is none of it.
   *
   * @param {string} checkpoint
   */
  async #run(checkpoint) {
    await this.#options.runWith?.(this.#asked, checkpoint);
  }

  async #body() {
    await this.#listed;
    const prompt = this.#prompt.value;
    this.#asked = prompt;
    if (this.#options.inComfyUI) return { prompt };
    const names = this.#candidates.value.split("\n").map((name) => name.trim());
    const candidates = names.filter((name) => name !== "");
    if (candidates.length === 0) throw new Error(this.#options.t("tryNoCandidates"));
    return { prompt, candidates };
  }
}
