// @ts-check
/** A line that shows how an action went, to the eye and to screen readers, without a dialog. */

import { element } from "../lib/dom.mjs";

export class StatusLine {
  /** @param {"p" | "span"} [tag] */
  constructor(tag = "p") {
    this.element = element(tag, { class: "cc-status", role: "status" });
  }

  /**
   * @param {string} text
   * @param {"" | "saved" | "failed"} [state]
   */
  show(text, state = "") {
    this.element.dataset.state = state;
    this.element.textContent = text;
  }

  /**
   * @param {Translate} t
   * @param {string} key of a text with a `{reason}`
   * @param {unknown} error
   */
  showError(t, key, error) {
    this.show(t(key, { reason: error }), "failed");
  }
}
