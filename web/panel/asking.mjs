// @ts-check
/**
 * One question at a time to the server, with a line that says how it goes.
 *
 * An answer that a newer question has overtaken is dropped, a failed one can be asked again, and nothing is shown
 * any more once nobody looks.
 */

import { button, element } from "../lib/dom.mjs";

export class Asking {
  #say;
  #newest = 0;
  #line;
  #again;
  /** @type {() => void} */
  #repeat = () => {};

  /** @param {Say} say */
  constructor(say) {
    this.#say = say;
    this.#line = element("span", { role: "status" });
    this.#again = button(say("tryAgain"), () => this.#repeat());
    this.element = element("p", { class: "cc-asking" }, [this.#line, this.#again]);
    this.#told("");
  }

  /**
   * @template Answer
   * @param {() => Promise<Answer>} question
   * @param {(answer: Answer) => void} use
   * @param {boolean} [quietly] nobody asked for it: nothing is said unless it fails
   */
  async ask(question, use, quietly = false) {
    this.#newest += 1;
    const own = this.#newest;
    this.#repeat = () => void this.ask(question, use);
    if (!quietly) this.#told(this.#say("asking"));
    try {
      const answer = await question();
      if (own !== this.#newest) return;
      this.#told("");
      use(answer);
    } catch (error) {
      if (own !== this.#newest) return;
      this.#told(this.#say("notAsked", { reason: error }), true);
    }
  }

  /** Whatever is under way comes too late. */
  drop() {
    this.#newest += 1;
    this.#told("");
  }

  /**
   * @param {string} text
   * @param {boolean} [failed]
   */
  #told(text, failed = false) {
    this.#line.textContent = text;
    this.#again.hidden = !failed;
    this.element.dataset.state = failed ? "failed" : "";
  }
}
