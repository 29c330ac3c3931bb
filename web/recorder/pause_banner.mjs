// @ts-check
/**
 * Tells that the workflow waits for a pick, and lets it go on. It knows no images: what was picked is asked for
 * when the person presses, so that the newest verdict goes with it.
 */

import { button, element } from "../lib/dom.mjs";
import { localeOf } from "../lib/i18n.mjs";

export class PauseBanner {
  #say;
  #answer;
  #picked;

  /**
   * @param {Say} say
   * @param {WaitingPick} pick
   * @param {(pickId: string, body: object) => Promise<unknown>} answer
   * @param {() => { selected_images: number[], rejected_images: number[] }} picked
   */
  constructor(say, pick, answer, picked) {
    this.#say = say;
    this.#picked = picked;
    this.pick = pick;
    this.#answer = (/** @type {object} */ body) => answer(pick.id, body);
    this.goOn = button(say("continue"), () => this.continue(), { class: "cc-continue" });
    this.status = element("p", { class: "cc-status", role: "status", "aria-live": "polite" });
    const until = pick.waits_until === null ? null : new Date(pick.waits_until).toLocaleTimeString(localeOf(say));
    this.element = element("section", { class: "cc-pause", "aria-label": say("waits") }, [
      element("strong", { text: say("waits") }),
      until === null ? null : element("span", { class: "cc-note", text: say("waitsUntil", { time: until }) }),
      element("div", { class: "cc-actions" }, [
        this.goOn,
        button(say("sendAll"), () => this.#send({ send_all: true })),
      ]),
      this.status,
    ]);
    this.refresh();
  }

  /** To be called after each change of the verdict. */
  refresh() {
    this.goOn.setAttribute("aria-disabled", String(!this.#ready));
    if (this.#ready) this.status.textContent = "";
  }

  continue() {
    if (this.#ready) void this.#send(this.#picked());
    else this.#tell("pickFirst");
  }

  get #ready() {
    const { selected_images, rejected_images } = this.#picked();
    return selected_images.length + rejected_images.length > 0;
  }

  /** @param {object} body */
  async #send(body) {
    this.status.dataset.state = "";
    this.#tell("goesOn");
    try {
      await this.#answer(body);
    } catch (error) {
      this.status.dataset.state = "failed";
      this.#tell("notAnswered", { reason: error });
    }
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  #tell(key, values) {
    this.status.textContent = this.#say(key, values);
  }
}
