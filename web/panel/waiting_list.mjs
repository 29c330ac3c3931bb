// @ts-check
/** The runs that wait for a pick, above the panel's tabs: each with its images, to be answered here. */

import { element } from "../lib/dom.mjs";
import { GalleryList } from "../recorder/gallery_list.mjs";
import { NO_IMAGE } from "./history_tab.mjs";

export class WaitingList {
  #options;
  /** @type {Map<string, GalleryList>} by the pick's id */
  #lists = new Map();
  element = element("div", { class: "cc-waiting" });

  /** @param {PanelOptions} options */
  constructor(options) {
    this.#options = options;
    this.close = options.waiting.listen((picks) => this.#show(picks));
  }

  /** @param {WaitingPick[]} picks */
  #show(picks) {
    for (const [id, list] of this.#lists) {
      if (picks.some((pick) => pick.id === id)) continue;
      list.element.remove();
      this.#lists.delete(id);
    }
    for (const pick of picks) if (!this.#lists.has(pick.id)) void this.#add(pick);
  }

  /** @param {WaitingPick} pick */
  async #add(pick) {
    const { t, server, imageUrl, isBlind, onVerdictLost, waiting } = this.#options;
    const list = new GalleryList({
      t,
      isBlind,
      onVerdictLost,
      save: (body) => server.sendFeedback(body),
      answer: (pickId, body) => waiting.answer(pickId, body),
      imageUrl: imageUrl ?? (() => NO_IMAGE),
      onResize: () => {},
    });
    this.#lists.set(pick.id, list);
    list.wait(pick, await waiting.generations(pick));
    if (this.#lists.get(pick.id) === list) this.element.append(list.element);
  }
}
