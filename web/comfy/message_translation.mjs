// @ts-check
/**
 * Translates what nodes say: ComfyUI shows their errors and notes in the words that it gets from the server.
 *
 * The server sends the parts of each of our messages before ComfyUI's own event, which has room for a text only. So this
 * module listens first and replaces the text in ComfyUI's event by its translation.
 */

import { messageText } from "../lib/i18n.mjs";

/** Sent by the server before a message; the detail is `{ text, parts }`. */
const MESSAGE_EVENT = "context_checkpoint.told";

export class MessageTranslation {
  #t;
  #onStopped;
  /** The last message that the server announced. @type {{ text: string, parts: Json[] } | null} */
  #announced = null;

  /**
   * @param {Translate} t
   * @param {(text: string) => void} onStopped called when one of our messages has ended a run
   */
  constructor(t, onStopped) {
    this.#t = t;
    this.#onStopped = onStopped;
  }

  /** @param {Pick<import("../types/comfyui").ComfyApi, "addEventListener" | "addCustomEventListener">} api */
  listen(api) {
    api.addCustomEventListener(MESSAGE_EVENT, ({ detail }) => {
      this.#announced = detail;
    });
    const beforeOthers = { capture: true };
    api.addEventListener("progress_text", ({ detail }) => void this.#translate(detail, "text"), beforeOthers);
    api.addEventListener(
      "execution_error",
      ({ detail }) => {
        // In ComfyUI's own report the text that says what to do is easily overlooked.
        if (this.#translate(detail, "exception_message")) this.#onStopped(detail.exception_message);
      },
      beforeOthers,
    );
  }

  /**
   * @param {Record<string, any>} detail of ComfyUI's event
   * @param {string} field
   * @returns {boolean} whether the text was ours
   */
  #translate(detail, field) {
    if (!this.#announced || detail[field]?.trim() !== this.#announced.text) return false;
    detail[field] = messageText(this.#t, this.#announced.parts);
    return true;
  }
}
