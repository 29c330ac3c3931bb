// @ts-check
/**
 * Sends one request at a time to the server, with a line that shows its state.
 *
 * A response that a newer request has overtaken is dropped, a failed request can be repeated, and nothing is shown any
 * more once the view is hidden.
 */

import { button, element } from "../lib/dom.mjs";

export class RequestLine {
  #t;
  #newest = 0;
  #line;
  #retry;
  /** @type {() => void} */
  #repeat = () => {};

  /** @param {Translate} t */
  constructor(t) {
    this.#t = t;
    this.#line = element("span", { role: "status" });
    this.#retry = button(t("tryAgain"), () => this.#repeat());
    this.element = element("p", { class: "cc-request" }, [this.#line, this.#retry]);
    this.#show("");
  }

  /**
   * @template Result
   * @param {() => Promise<Result>} request
   * @param {(result: Result) => void} use
   * @param {boolean} [quietly] not started by the person: nothing is shown unless it fails
   */
  async send(request, use, quietly = false) {
    this.#newest += 1;
    const own = this.#newest;
    this.#repeat = () => void this.send(request, use);
    if (!quietly) this.#show(this.#t("requesting"));
    try {
      const result = await request();
      if (own !== this.#newest) return;
      this.#show("");
      use(result);
    } catch (error) {
      if (own !== this.#newest) return;
      this.#show(this.#t("requestFailed", { reason: error }), true);
    }
  }

  /** Drop the response of whatever request is under way. */
  cancel() {
    this.#newest += 1;
    this.#show("");
  }

  /**
   * @param {string} text
   * @param {boolean} [failed]
   */
  #show(text, failed = false) {
    this.#line.textContent = text;
    this.#retry.hidden = !failed;
    this.element.dataset.state = failed ? "failed" : "";
  }
}
