// @ts-check
/**
 * What a recorder shows: the gallery of each generation of its last run, and, while the workflow waits, the banner that
 * lets it continue.
 */

import { shortNames } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { Gallery } from "./gallery.mjs";
import { PauseBanner } from "./pause_banner.mjs";
import { pickBody } from "./verdicts.mjs";

/**
 * @typedef {Omit<GalleryOptions, "onJudged" | "onContinue"> & {
 *   answer: (pickId: string, body: object) => Promise<unknown>,
 * }} GalleryListOptions
 */

export class GalleryList {
  /** @type {Gallery[]} */
  #galleries = [];
  /** @type {PauseBanner | null} */
  #banner = null;
  #options;
  #content = element("div");

  /** @param {GalleryListOptions} options */
  constructor(options) {
    this.#options = options;
    this.element = element("div", { class: "cc-generations" }, [this.#content]);
    this.show([]);
  }

  /** Ids of the generations that are shown. */
  get generationIds() {
    return this.#galleries.map((gallery) => gallery.generationId).filter((id) => id !== "");
  }

  /** Id of the pick that the workflow waits for; null where it does not wait. */
  get pickId() {
    return this.#banner?.pick.id ?? null;
  }

  /** @param {Generation[]} generations */
  show(generations) {
    if (this.#areShown(generations)) {
      for (const [place, generation] of generations.entries()) this.#galleries[place].update(generation);
      return;
    }
    const short = shortNames(generations.flatMap(({ images }) => images.map((image) => image.checkpoint)));
    this.#galleries = generations.map((generation) => this.#createGallery(generation, short));
    const elements = this.#galleries.map((gallery) => gallery.element);
    this.#content.replaceChildren(...(elements.length > 0 ? elements : [this.#note("noImagesYet")]));
    this.#banner?.refresh();
    this.#options.onResize();
  }

  /**
   * Use the room that the node is given for the images.
   *
   * @param {{ width: number, height: number } | null} room null for no more than they need
   */
  fill(room) {
    for (const gallery of this.#galleries) gallery.spread(null);
    if (!room) return;
    const lists = this.#galleries.map(({ list }) => list);
    const others = this.element.scrollHeight - lists.reduce((sum, { offsetHeight }) => sum + offsetHeight, 0);
    const height = (room.height - others) / this.#galleries.length;
    for (const gallery of this.#galleries) gallery.spread({ width: gallery.list.clientWidth, height });
  }

  /**
   * @param {WaitingPick} pick
   * @param {Generation[]} generations to pick from
   */
  wait(pick, generations) {
    this.#banner?.element.remove();
    this.#banner = null;
    this.show(generations);
    this.#banner = new PauseBanner(this.#options.t, pick, this.#options.answer, () =>
      pickBody(this.#galleries.map((gallery) => gallery.images)),
    );
    this.element.prepend(this.#banner.element);
    this.#options.onResize();
  }

  /** Remove the banner: the workflow no longer waits. */
  stopWaiting() {
    if (!this.#banner) return;
    this.#banner.element.remove();
    this.#banner = null;
    this.#options.onResize();
  }

  /** @param {unknown} error why a stored run could not be shown */
  showNotRestored(error) {
    this.#galleries = [];
    this.#content.replaceChildren(this.#note("noImagesYet"), this.#note("notRestored", { reason: error }));
    this.#options.onResize();
  }

  /** @param {Generation[]} generations */
  #areShown(generations) {
    return (
      generations.length > 0 &&
      generations.length === this.#galleries.length &&
      generations.every((generation, place) => {
        const { generationId, message, images } = this.#galleries[place];
        const same = generationId === generation.generationId && message === generation.message;
        return same && generationId !== "" && images.length === generation.images.length;
      })
    );
  }

  /**
   * @param {Generation} generation
   * @param {Map<string, string>} short
   */
  #createGallery(generation, short) {
    return new Gallery(generation, {
      ...this.#options,
      short,
      onJudged: () => this.#banner?.refresh(),
      onContinue: () => this.#banner?.continue(),
    });
  }

  /**
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  #note(key, values) {
    return element("p", { class: "cc-note", text: this.#options.t(key, values) });
  }
}
