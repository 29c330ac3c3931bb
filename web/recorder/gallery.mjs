// @ts-check
/**
 * The gallery of one round: its images, to pick and to reject by mouse and by key.
 *
 * It knows neither ComfyUI nor a node: what to show, how to save and where an image is to be had are handed in,
 * so that a sidebar or a standalone page can hold the same gallery.
 */

import { nameElement, shortName } from "../lib/checkpoint_name.mjs";
import { button, element, keepPresses } from "../lib/dom.mjs";
import { nameIsShown, shuffled } from "./blind.mjs";
import { meaningOf, moved } from "./gallery_keys.mjs";
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
import { Look } from "./zoom.mjs";

/** @typedef {{ cell: HTMLElement, pick: HTMLElement, reject: HTMLElement, caption: HTMLElement }} Cell */

export class Gallery {
  #parts;
  #saver;
  /** @type {RoundImage[]} in the order of the generation */
  #images;
  /** @type {number[]} by place in the grid: position in `#images` */
  #order;
  /** @type {Cell[]} by place in the grid */
  #cells;
  /** @type {RoundImage[][]} */
  #before = [];
  #blind;
  #current = 0;
  /** @type {string[]} by place: what its cell shows, so that a key touches only what it changes */
  #drawn = [];

  /**
   * @param {Round} round
   * @param {GalleryParts} parts
   */
  constructor(round, parts) {
    this.#parts = parts;
    this.#images = round.images;
    this.generationId = round.generationId;
    this.message = round.message;
    this.#blind = parts.blind();
    const places = round.images.map((_, position) => position);
    this.#order = this.#blind ? shuffled(places, round.generationId) : places;
    this.#saver = new VerdictSaver(parts.save, (state, detail) => this.#report(state, detail));
    this.#cells = this.#order.map((_, place) => this.#cellAt(place));
    const { say } = parts;
    this.list = element(
      "ul",
      { class: "cc-images", "aria-label": say("images") },
      this.#cells.map(({ cell }) => cell),
    );
    this.list.addEventListener("keydown", (pressed) => this.#pressed(pressed));
    // The keys that the gallery takes must not reach ComfyUI when they are let go either.
    this.list.addEventListener("keyup", (released) => meaningOf(released) && released.stopPropagation());
    this.rejectAll = button(say("rejectAll"), () => this.#change(allRejected(this.#images)));
    this.rejectRest = button(say("rejectRest"), () => {
      if (hasRest(this.#images)) this.#change(restRejected(this.#images));
    });
    this.undoing = button(say("undo"), () => this.#undo());
    this.comparing = button(say("compare"), () => this.#compare());
    this.status = element("p", { class: "cc-status", role: "status", "aria-live": "polite" });
    this.retry = button(say("tryAgain"), () => this.#save());
    this.retry.hidden = true;
    this.element = element("section", { class: "cc-round" }, [
      round.message ? element("p", { class: "cc-note cc-warning", text: say("{it}", { it: round.said }) }) : null,
      this.list,
      this.#judgeable
        ? element("div", { class: "cc-foot" }, [
            element("div", { class: "cc-actions" }, [this.rejectAll, this.rejectRest, this.undoing, this.comparing]),
            element("div", { class: "cc-saving" }, [this.status, this.retry]),
            this.#keys(),
          ])
        : element("p", { class: "cc-note", text: say("notLogged") }),
    ]);
    this.#refresh();
  }

  /** What each key does, to be looked up. */
  #keys() {
    const { say, resized } = this.#parts;
    const told = element("details", { class: "cc-keys cc-note" }, [
      element("summary", { text: say("keysShown") }),
      element("p", { text: say("keys") }),
    ]);
    told.addEventListener("toggle", resized);
    keepPresses(told);
    return told;
  }

  get images() {
    return this.#images;
  }

  get #judgeable() {
    return this.generationId !== "";
  }

  /**
   * Take over what is known of the round by now, without losing focus or what can be undone.
   *
   * @param {Round} round the same one
   */
  update(round) {
    this.#images = round.images;
    this.#refresh();
  }

  /** Take the whole verdict back; it can be undone like every other change. */
  withdraw() {
    if (this.#images.some((image) => image.verdict !== null)) this.#change(unjudged(this.#images));
  }

  /** @param {number} place */
  #imageAt(place) {
    return this.#images[this.#order[place]];
  }

  /** @param {number} place */
  #cellAt(place) {
    const { say } = this.#parts;
    const { index } = this.#imageAt(place);
    const pick = button(say("pick"), () => this.#judge(place, "selected"), {
      class: "cc-pick",
      tabindex: "-1",
    });
    const reject = button(say("reject"), () => this.#judge(place, "rejected"), {
      class: "cc-reject",
      tabindex: "-1",
    });
    const caption = element("div", { class: "cc-caption" });
    const cell = element("li", { class: "cc-image", tabindex: place === 0 ? "0" : "-1" }, [
      this.#thumbnail(place),
      element("div", { class: "cc-judged" }, [
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
    const gone = () => element("span", { class: "cc-thumbnail cc-gone", text: this.#parts.say("imageGone") });
    if (image.filename === "") return gone();
    const picture = element("img", {
      class: "cc-thumbnail",
      alt: "",
      draggable: "false",
      loading: "lazy",
      decoding: "async",
      src: this.#parts.imageUrl(image, this.generationId),
    });
    picture.addEventListener("click", () => this.#zoom(place));
    picture.addEventListener("error", () => picture.replaceWith(gone()), { once: true });
    return picture;
  }

  /** @param {KeyboardEvent} pressed */
  #pressed(pressed) {
    const meaning = meaningOf(pressed);
    if (!meaning) return;
    pressed.stopPropagation();
    pressed.preventDefault();
    const place = meaning.to ?? this.#current;
    if (place >= this.#cells.length) return;
    if (meaning.to !== undefined) this.#focus(place);
    const doing = {
      pick: () => this.#judge(place, "selected"),
      reject: () => this.#judge(place, "rejected"),
      only: () => this.#change(onlyPicked(this.#images, this.#imageAt(place).index)),
      undo: () => this.#undo(),
      zoom: () => this.#zoom(place),
      compare: () => this.#compare(),
      continue: () => this.#parts.goOn(),
      leave: () => /** @type {HTMLElement | null} */ (document.activeElement)?.blur(),
      move: () => this.#focus(moved(place, pressed.key, this.#cells.length, this.#columns)),
    };
    doing[meaning.action]();
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

  /** @param {number} place */
  #zoom(place) {
    new Look(this.#looked(), place).open();
  }

  /** The current image, beside the first picked one or else the next. */
  #compare() {
    const count = this.#cells.length;
    if (count < 2) return;
    const others = [...this.#cells.keys()].filter((place) => place !== this.#current);
    const picked = others.find((place) => this.#imageAt(place).verdict === "selected");
    new Look(this.#looked(), this.#current, picked ?? (this.#current + 1) % count).open();
  }

  #looked() {
    return {
      say: this.#parts.say,
      count: this.#cells.length,
      url: (/** @type {number} */ place) => this.#parts.imageUrl(this.#imageAt(place), this.generationId, true),
      label: (/** @type {number} */ place) => this.#labelOf(this.#imageAt(place)),
      verdict: (/** @type {number} */ place) => this.#imageAt(place).verdict,
      judge: this.#judge.bind(this),
      undo: () => this.#undo(),
      closed: (/** @type {number} */ place) => this.#focus(place),
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

  /** @param {RoundImage[]} images */
  #change(images) {
    if (!this.#judgeable) return;
    this.#before.push(this.#images);
    this.#set(images);
  }

  /** @param {RoundImage[]} images */
  #set(images) {
    this.#images = images;
    this.#save(); // first: what is under way needs no waiting for the page to be drawn
    this.#refresh();
  }

  #save() {
    void this.#saver.save(feedbackBody(this.generationId, this.#images));
  }

  /** @param {RoundImage} image */
  #labelOf(image) {
    const { say } = this.#parts;
    const values = { number: image.index + 1, checkpoint: shortName(image.checkpoint) };
    return say(nameIsShown(image, this.#blind) ? "imageBy" : "imageBlind", values);
  }

  #refresh() {
    const { say } = this.#parts;
    for (const [place, { cell, pick, reject, caption }] of this.#cells.entries()) {
      const image = this.#imageAt(place);
      const shown = nameIsShown(image, this.#blind);
      const drawn = `${image.verdict} ${shown}`;
      if (this.#drawn[place] === drawn) continue;
      this.#drawn[place] = drawn;
      const values = { number: image.index + 1, checkpoint: image.checkpoint };
      cell.dataset.verdict = image.verdict ?? "";
      cell.setAttribute("aria-label", this.#labelOf(image));
      caption.replaceChildren(
        shown ? nameElement(image.checkpoint) : element("em", { class: "cc-name", text: say("hidden") }),
      );
      pick.setAttribute("aria-label", say(shown ? "pickImage" : "pickBlind", values));
      reject.setAttribute("aria-label", say(shown ? "rejectImage" : "rejectBlind", values));
      pick.setAttribute("aria-pressed", String(image.verdict === "selected"));
      reject.setAttribute("aria-pressed", String(image.verdict === "rejected"));
    }
    this.rejectAll.setAttribute("aria-pressed", String(areAllRejected(this.#images)));
    // Not `disabled`: the button that was just pressed would lose the keyboard's focus.
    this.rejectRest.setAttribute("aria-disabled", String(!hasRest(this.#images)));
    this.undoing.setAttribute("aria-disabled", String(this.#before.length === 0));
    this.comparing.setAttribute("aria-disabled", String(this.#cells.length < 2));
    this.#parts.judged();
  }

  /**
   * @param {import("./verdict_saver.mjs").SavingState} state
   * @param {unknown} detail
   */
  #report(state, detail) {
    const { say } = this.#parts;
    this.status.dataset.state = state;
    this.retry.hidden = state !== "failed";
    if (state === "saving") this.status.textContent = say("saving");
    else if (state === "failed") {
      this.status.textContent = say("notSaved", { reason: detail });
      if (!this.element.isConnected) this.#parts.lost(detail);
    } else {
      const body = feedbackBody(this.generationId, this.#images);
      const selected = body.selected_images.length;
      const rejected = body.rejected_images.length;
      this.status.textContent = say(selected + rejected > 0 ? "saved" : "savedNothing", {
        selected,
        rejected,
      });
    }
    // Only a reason may need more room; to ask at each key would lay twenty images out before the answer is read.
    if (state === "failed") this.#parts.resized();
  }
}
