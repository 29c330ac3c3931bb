// @ts-check
/**
 * Shows that the workflow waits for a pick, and lets it continue. It knows no images: it reads the verdict when the person
 * presses, so that the newest one is sent.
 */

import { button, element } from "../lib/dom.mjs";
import { localeOf } from "../lib/i18n.mjs";

export class PauseBanner {
  #t;
  #answer;
  #pickBody;

  /**
   * @param {Translate} t
   * @param {WaitingPick} pick
   * @param {(pickId: string, body: object) => Promise<unknown>} answer
   * @param {() => { selected_images: number[], rejected_images: number[] }} pickBody
   */
  constructor(t, pick, answer, pickBody) {
    this.#t = t;
    this.#pickBody = pickBody;
    this.pick = pick;
    this.#answer = (/** @type {object} */ body) => answer(pick.id, body);
    this.continueButton = button(t("continue"), () => this.continue(), { class: "cc-continue" });
    this.status = element("p", { class: "cc-status", role: "status", "aria-live": "polite" });
    const until = pick.waits_until === null ? null : new Date(pick.waits_until).toLocaleTimeString(localeOf(t));
    this.element = element("section", { class: "cc-pause", "aria-label": t("waiting") }, [
      element("strong", { text: t("waiting") }),
      until === null ? null : element("span", { class: "cc-note", text: t("waitingUntil", { time: until }) }),
      element("div", { class: "cc-actions" }, [
        this.continueButton,
        button(t("sendAll"), () => this.#send({ send_all: true })),
      ]),
      this.status,
    ]);
    this.refresh();
  }

  /** Called after each change of the verdict. */
  refresh() {
    this.continueButton.setAttribute("aria-disabled", String(!this.#ready));
    if (this.#ready) this.status.textContent = "";
  }

  continue() {
    if (this.#ready) void this.#send(this.#pickBody());
    else this.#show("pickFirst");
  }

  get #ready() {
    const { selected_images, rejected_images } = this.#pickBody();
    return selected_images.length + rejected_images.length > 0;
  }

  /** @param {object} body */
  async #send(body) {
    this.status.dataset.state = "";
    this.#show("continuing");
    try {
      await this.#answer(body);
    } catch (error) {
      this.status.dataset.state = "failed";
      this.#show("answerFailed", { reason: error });
    }
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  #show(key, values) {
    this.status.textContent = this.#t(key, values);
  }
}
