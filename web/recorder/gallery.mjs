// @ts-check
/**
 * The gallery of one generation: its images, to pick and to reject by mouse and by key.
 *
 * It knows neither ComfyUI nor a node: the images, the way to save and the URLs are passed in, so that a sidebar or a
 * standalone page can show the same gallery.
 */

import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { button, element, keepPresses } from "../lib/dom.mjs";
import { messageText } from "../lib/i18n.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { nameIsShown, shuffled } from "./blind.mjs";
import { gridFor } from "./gallery_grid.mjs";
import { actionOf, moved } from "./gallery_keys.mjs";
import { VerdictSaver } from "./verdict_saver.mjs";
import {
  allRejected,
  areAllRejected,
  feedbackBody,
  hasRest,
  onlyPicked,
  restRejected,
  toggled,
  unjudged,
} from "./verdicts.mjs";

/** @typedef {{ cell: HTMLElement, pick: HTMLElement, reject: HTMLElement, caption: HTMLElement }} Cell */

export class Gallery {
  #options;
  #saver;
  /** @type {GalleryImage[]} in the order of the generation */
  #images;
  /** @type {number[]} by place in the grid: position in `#images` */
  #order;
  /** @type {Cell[]} by place in the grid */
  #cells;
  /** @type {GalleryImage[][]} */
  #before = [];
  #blind;
  #short;
  #current = 0;
  /** An image's width divided by its height. */
  #aspect = 1;
  /** @type {string[]} by place: what its cell shows, so that a key updates only what it changes */
  #cellStates = [];

  /**
   * @param {Generation} generation
   * @param {GalleryOptions} options
   */
  constructor(generation, options) {
    this.#options = options;
    this.#images = generation.images;
    this.generationId = generation.generationId;
    this.message = generation.message;
    this.#blind = options.isBlind();
    this.#short = options.short ?? shortNames(generation.images.map((image) => image.checkpoint));
    const places = generation.images.map((_, position) => position);
    this.#order = this.#blind ? shuffled(places, generation.generationId) : places;
    this.#saver = new VerdictSaver(options.save, (state, detail) => this.#report(state, detail));
    this.#cells = this.#order.map((_, place) => this.#cellAt(place));
    const { t } = options;
    this.list = element(
      "ul",
      { class: "cc-images", "aria-label": t("images") },
      this.#cells.map(({ cell }) => cell),
    );
    this.list.addEventListener("keydown", (pressed) => this.#pressed(pressed));
    // ComfyUI must not receive the release of the gallery's keys either.
    this.list.addEventListener("keyup", (released) => actionOf(released) && released.stopPropagation());
    this.rejectAll = button(t("rejectAll"), () => this.#change(allRejected(this.#images)));
    this.rejectRest = button(t("rejectRest"), () => {
      if (hasRest(this.#images)) this.#change(restRejected(this.#images));
    });
    this.undoButton = button(t("undo"), () => this.#undo());
    this.compareButton = button(t("compare"), () => this.#compare());
    this.status = element("p", { class: "cc-status", role: "status", "aria-live": "polite" });
    this.retry = button(t("tryAgain"), () => this.#save());
    this.retry.hidden = true;
    this.element = element("section", { class: "cc-generation" }, [
      generation.message
        ? element("p", { class: "cc-note cc-warning", text: messageText(t, generation.messageParts) })
        : null,
      this.list,
      this.#judgeable
        ? element("div", { class: "cc-foot" }, [
            element("div", { class: "cc-actions" }, [
              this.rejectAll,
              this.rejectRest,
              this.undoButton,
              this.compareButton,
            ]),
            element("div", { class: "cc-saving" }, [this.status, this.retry]),
            this.#keyHelp(),
          ])
        : element("p", { class: "cc-note", text: t("notLogged") }),
    ]);
    this.#refresh();
  }

  /** A list of the keys, collapsed at first. */
  #keyHelp() {
    const { t, onResize } = this.#options;
    const details = element("details", { class: "cc-keys cc-note" }, [
      element("summary", { text: t("keysHeading") }),
      element("p", { text: t("keys") }),
    ]);
    details.addEventListener("toggle", onResize);
    keepPresses(details);
    return details;
  }

  get images() {
    return this.#images;
  }

  get #judgeable() {
    return this.generationId !== "";
  }

  /**
   * Show the present state of the same generation, without losing the focus or the steps to undo.
   *
   * @param {Generation} generation
   */
  update(generation) {
    this.#images = generation.images;
    this.#refresh();
  }

  /** Withdraw the whole verdict; this can be undone like every other change. */
  withdraw() {
    if (this.#images.some((image) => image.verdict !== null)) this.#change(unjudged(this.#images));
  }

  /** @param {number} place */
  #imageAt(place) {
    return this.#images[this.#order[place]];
  }

  /** @param {number} place */
  #cellAt(place) {
    const { t } = this.#options;
    const { index } = this.#imageAt(place);
    const pick = button(t("pick"), () => this.#judge(place, "selected"), {
      class: "cc-pick",
      tabindex: "-1",
    });
    const reject = button(t("reject"), () => this.#judge(place, "rejected"), {
      class: "cc-reject",
      tabindex: "-1",
    });
    const caption = element("div", { class: "cc-caption" });
    const cell = element("li", { class: "cc-image", tabindex: place === 0 ? "0" : "-1" }, [
      this.#thumbnail(place),
      element("div", { class: "cc-judgement" }, [
        element("div", { class: "cc-label" }, [
          element("span", { class: "cc-number", text: String(index + 1), "aria-hidden": "true" }),
          caption,
        ]),
        this.#judgeable ? element("span", { class: "cc-verdict" }, [pick, reject]) : null,
      ]),
    ]);
    cell.addEventListener("focusin", () => this.#rove(place));
    return { cell, pick, reject, caption };
  }

  /** @param {number} place */
  #thumbnail(place) {
    const image = this.#imageAt(place);
    const placeholder = () =>
      element("span", { class: "cc-thumbnail cc-missing", text: this.#options.t("imageMissing") });
    if (image.filename === "") return placeholder();
    const picture = element("img", {
      class: "cc-thumbnail",
      alt: "",
      draggable: "false",
      loading: "lazy",
      decoding: "async",
      src: this.#options.imageUrl(image, this.generationId),
    });
    picture.addEventListener("click", () => void this.#zoom(place));
    picture.addEventListener("load", () => this.#measure(picture), { once: true });
    picture.addEventListener("error", () => picture.replaceWith(placeholder()), { once: true });
    return picture;
  }

  /**
   * Lay the images into a room, or as the style sheet does.
   *
   * @param {{ width: number, height: number } | null} room for the list; its layout must be that of the style sheet
   */
  spread(room) {
    const grid = room && this.#cells.length > 0 ? gridFor(this.#cells.length, room, this.#aspect, this.#around) : null;
    this.list.classList.toggle("cc-spread", grid !== null);
    if (!grid) return;
    this.list.style.setProperty("--cc-columns", String(grid.columns));
    this.list.style.setProperty("--cc-cell", `${grid.cell}px`);
    this.list.style.setProperty("--cc-image", `${grid.height}px`);
  }

  /** What a cell takes around its image: where names and buttons need two lines, as much as with them. */
  get #around() {
    const [{ cell }] = this.#cells;
    const picture = /** @type {HTMLElement} */ (cell.querySelector(".cc-thumbnail"));
    const gap = Number.parseFloat(getComputedStyle(this.list).columnGap) || 0;
    return { x: cell.offsetWidth - picture.offsetWidth, y: cell.offsetHeight - picture.offsetHeight, gap };
  }

  /** @param {HTMLImageElement} picture that has been loaded: all images of a generation have one size */
  #measure({ naturalWidth, naturalHeight }) {
    if (naturalHeight === 0 || this.#aspect === naturalWidth / naturalHeight) return;
    this.#aspect = naturalWidth / naturalHeight;
    this.#options.onResize();
  }

  /** @param {KeyboardEvent} pressed */
  #pressed(pressed) {
    const keyAction = actionOf(pressed);
    if (!keyAction) return;
    pressed.stopPropagation();
    pressed.preventDefault();
    const place = keyAction.to ?? this.#current;
    if (place >= this.#cells.length) return;
    if (keyAction.to !== undefined) this.#focus(place);
    const actions = {
      pick: () => this.#judge(place, "selected"),
      reject: () => this.#judge(place, "rejected"),
      only: () => this.#change(onlyPicked(this.#images, this.#imageAt(place).index)),
      undo: () => this.#undo(),
      zoom: () => void this.#zoom(place),
      compare: () => this.#compare(),
      continue: () => this.#options.onContinue(),
      leave: () => /** @type {HTMLElement | null} */ (document.activeElement)?.blur(),
      move: () => this.#focus(moved(place, pressed.key, this.#cells.length, this.#columns)),
    };
    actions[keyAction.action]();
  }

  get #columns() {
    return getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
  }

  /** @param {number} place */
  #focus(place) {
    this.#cells[place]?.cell.focus();
  }

  /**
   * One image at a time is reached by Tab; arrows lead to the others.
   *
   * @param {number} place
   */
  #rove(place) {
    this.#current = place;
    for (const [other, { cell, pick, reject }] of this.#cells.entries()) {
      const tabindex = other === place ? "0" : "-1";
      for (const part of [cell, pick, reject]) part.setAttribute("tabindex", tabindex);
    }
  }

  /**
   * Show an image in full size; the scripts for that are loaded with the first one.
   *
   * @param {number} place
   * @param {number} [other] to compare it with
   */
  async #zoom(place, other) {
    const { Zoom } = await import("./zoom.mjs");
    new Zoom(this.#zoomOptions(), place, other).open();
  }

  /** Compare the current image with the first picked one, or else with the next. */
  #compare() {
    const count = this.#cells.length;
    if (count < 2) return;
    const others = [...this.#cells.keys()].filter((place) => place !== this.#current);
    const picked = others.find((place) => this.#imageAt(place).verdict === "selected");
    void this.#zoom(this.#current, picked ?? (this.#current + 1) % count);
  }

  #zoomOptions() {
    return {
      t: this.#options.t,
      count: this.#cells.length,
      url: (/** @type {number} */ place) => this.#options.imageUrl(this.#imageAt(place), this.generationId, true),
      label: (/** @type {number} */ place) => this.#labelOf(this.#imageAt(place)),
      verdict: (/** @type {number} */ place) => this.#imageAt(place).verdict,
      judge: this.#judge.bind(this),
      undo: () => this.#undo(),
      onClose: (/** @type {number} */ place) => this.#focus(place),
    };
  }

  /**
   * @param {number} place
   * @param {"selected" | "rejected"} verdict
   */
  #judge(place, verdict) {
    this.#change(toggled(this.#images, this.#imageAt(place).index, verdict));
  }

  #undo() {
    const before = this.#before.pop();
    if (before) this.#set(before);
  }

  /** @param {GalleryImage[]} images */
  #change(images) {
    if (!this.#judgeable) return;
    this.#before.push(this.#images);
    this.#set(images);
  }

  /** @param {GalleryImage[]} images */
  #set(images) {
    this.#images = images;
    this.#save(); // first: the request need not wait until the page is updated
    this.#refresh();
  }

  #save() {
    void this.#saver.save(feedbackBody(this.generationId, this.#images));
  }

  /** @param {GalleryImage} image */
  #labelOf(image) {
    const { t } = this.#options;
    const values = { number: image.index + 1, checkpoint: this.#short.get(image.checkpoint) };
    return t(image.checkpoint !== "" && nameIsShown(image, this.#blind) ? "imageBy" : "imageBlind", values);
  }

  #refresh() {
    const { t } = this.#options;
    for (const [place, { cell, pick, reject, caption }] of this.#cells.entries()) {
      const image = this.#imageAt(place);
      const shown = nameIsShown(image, this.#blind);
      const state = `${image.verdict} ${shown}`;
      if (this.#cellStates[place] === state) continue;
      this.#cellStates[place] = state;
      const values = { number: image.index + 1, checkpoint: shownName(image.checkpoint) };
      cell.dataset.verdict = image.verdict ?? "";
      cell.setAttribute("aria-label", this.#labelOf(image));
      caption.replaceChildren(
        shown ? nameElement(image.checkpoint, this.#short) : element("em", { class: "cc-name", text: t("hidden") }),
      );
      pick.setAttribute("aria-label", t(shown ? "pickImage" : "pickBlind", values));
      reject.setAttribute("aria-label", t(shown ? "rejectImage" : "rejectBlind", values));
      pick.setAttribute("aria-pressed", String(image.verdict === "selected"));
      reject.setAttribute("aria-pressed", String(image.verdict === "rejected"));
    }
    this.rejectAll.setAttribute("aria-pressed", String(areAllRejected(this.#images)));
    // Not `disabled`: the button that was just pressed would lose the keyboard's focus.
    this.rejectRest.setAttribute("aria-disabled", String(!hasRest(this.#images)));
    this.undoButton.setAttribute("aria-disabled", String(this.#before.length === 0));
    this.compareButton.setAttribute("aria-disabled", String(this.#cells.length < 2));
    this.#options.onJudged();
  }

  /**
   * @param {import("./verdict_saver.mjs").SavingState} state
   * @param {unknown} detail
   */
  #report(state, detail) {
    const { t } = this.#options;
    this.status.dataset.state = state;
    this.retry.hidden = state !== "failed";
    if (state === "saving") this.status.textContent = t("saving");
    else if (state === "failed") {
      this.status.textContent = t("notSaved", { reason: detail });
      if (!this.element.isConnected) this.#options.onVerdictLost(detail);
    } else {
      const body = feedbackBody(this.generationId, this.#images);
      const selected = body.selected_images.length;
      const rejected = body.rejected_images.length;
      const { waiting } = /** @type {{waiting?: boolean}} */ (detail ?? {});
      const text = waiting ? "savedWaiting" : selected + rejected > 0 ? "saved" : "savedNothing";
      this.status.textContent = t(text, { selected, rejected });
    }
    // Only a reason may need more room; measuring at each key would lay out twenty images before the response is read.
    if (state === "failed") this.#options.onResize();
  }
}
