// @ts-check
/** A line that says quietly how something went, to the eye and to screen readers. */

import { element } from "./dom.mjs";

export class StatusLine {
  /** @param {"p" | "span"} [tag] */
  constructor(tag = "p") {
    this.element = element(tag, { class: "cc-status", role: "status" });
  }

  /**
   * @param {string} text
   * @param {"" | "saved" | "failed"} [state]
   */
  tell(text, state = "") {
    this.element.dataset.state = state;
    this.element.textContent = text;
  }

  /**
   * @param {Say} say
   * @param {string} key of a text with a `{reason}`
   * @param {unknown} error
   */
  failed(say, key, error) {
    this.tell(say(key, { reason: error }), "failed");
  }
}
