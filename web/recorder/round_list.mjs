// @ts-check
/**
 * What a recorder shows: the gallery of each round of its last run, and, while the workflow waits, the banner
 * that lets it go on.
 */

import { element } from "../lib/dom.mjs";
import { Gallery } from "./gallery.mjs";
import { PauseBanner } from "./pause_banner.mjs";
import { pickedOver } from "./verdicts.mjs";

/**
 * @typedef {Omit<GalleryParts, "judged" | "goOn"> & {
 *   answer: (pickId: string, body: object) => Promise<unknown>,
 * }} RoundListParts
 */

export class RoundList {
  /** @type {Gallery[]} */
  #galleries = [];
  /** @type {PauseBanner | null} */
  #banner = null;
  #parts;
  #rounds = element("div");

  /** @param {RoundListParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.element = element("div", { class: "cc-rounds" }, [this.#rounds]);
    this.show([]);
  }

  /** Ids of the generations that are shown now. */
  get generationIds() {
    return this.#galleries.map((gallery) => gallery.generationId).filter((id) => id !== "");
  }

  /** Id of the pick that the workflow waits for; null where it does not wait. */
  get waitsFor() {
    return this.#banner?.pick.id ?? null;
  }

  /** @param {Round[]} rounds */
  show(rounds) {
    if (this.#areShown(rounds)) {
      for (const [place, round] of rounds.entries()) this.#galleries[place].update(round);
      return;
    }
    this.#galleries = rounds.map((round) => this.#galleryOf(round));
    const shown = this.#galleries.map((gallery) => gallery.element);
    this.#rounds.replaceChildren(...(shown.length > 0 ? shown : [this.#note("nothingYet")]));
    this.#banner?.refresh();
    this.#parts.resized();
  }

  /**
   * @param {WaitingPick} pick
   * @param {Round[]} rounds what there is to pick from
   */
  wait(pick, rounds) {
    this.#banner?.element.remove();
    this.#banner = null;
    this.show(rounds);
    this.#banner = new PauseBanner(this.#parts.say, pick, this.#parts.answer, () =>
      pickedOver(this.#galleries.map((gallery) => gallery.images)),
    );
    this.element.prepend(this.#banner.element);
    this.#parts.resized();
  }

  /** The workflow no longer waits, however that came. */
  waitNoMore() {
    if (!this.#banner) return;
    this.#banner.element.remove();
    this.#banner = null;
    this.#parts.resized();
  }

  /** @param {unknown} error why a remembered run could not be shown again */
  showNotRecalled(error) {
    this.#galleries = [];
    this.#rounds.replaceChildren(this.#note("nothingYet"), this.#note("notRecalled", { reason: error }));
    this.#parts.resized();
  }

  /** @param {Round[]} rounds */
  #areShown(rounds) {
    return (
      rounds.length > 0 &&
      rounds.length === this.#galleries.length &&
      rounds.every((round, place) => {
        const { generationId, message, images } = this.#galleries[place];
        const same = generationId === round.generationId && message === round.message;
        return same && generationId !== "" && images.length === round.images.length;
      })
    );
  }

  /** @param {Round} round */
  #galleryOf(round) {
    return new Gallery(round, {
      ...this.#parts,
      judged: () => this.#banner?.refresh(),
      goOn: () => this.#banner?.continue(),
    });
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  #note(key, values) {
    return element("p", { class: "cc-note", text: this.#parts.say(key, values) });
  }
}
