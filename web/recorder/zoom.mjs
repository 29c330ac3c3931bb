// @ts-check
/**
 * Shows images in full size over the whole page: one, two side by side, or two in turn in one place.
 *
 * It judges nothing itself: a press goes to the gallery that opened it. While it is open it receives all keys, since
 * ComfyUI listens on the whole window.
 */

import { button, element, isModified } from "../lib/dom.mjs";

export class Zoom {
  #at;
  /** @type {number | null} */
  #other;
  #flipped = false;
  #sideBySide = true;
  #options;
  #stage = element("div", { class: "cc-stage" });
  #controls = element("div", { class: "cc-zoom-controls" });

  /**
   * @param {ZoomOptions} options
   * @param {number} place
   * @param {number | null} other the second of two to compare
   */
  constructor(options, place, other = null) {
    this.#options = options;
    this.#at = place;
    this.#other = other;
    const title = options.t(other === null ? "zoom" : "compare");
    this.element = element("dialog", { class: "cc-zoom", "aria-label": title }, [this.#stage, this.#controls]);
    this.element.addEventListener("keydown", (pressed) => this.#pressed(pressed));
    this.element.addEventListener("keyup", (pressed) => pressed.stopPropagation());
    this.element.addEventListener("wheel", (turned) => turned.stopPropagation());
    this.element.addEventListener("close", () => {
      this.element.remove();
      options.onClose(this.#shown);
    });
    this.#draw();
  }

  open() {
    document.body.append(this.element);
    this.element.showModal();
    this.element.focus();
  }

  /** The place of the image that a press refers to. */
  get #shown() {
    return this.#other !== null && this.#flipped ? this.#other : this.#at;
  }

  /** @param {KeyboardEvent} pressed */
  #pressed(pressed) {
    pressed.stopPropagation();
    if (isModified(pressed) || pressed.key === "Tab") return;
    const onButton = pressed.target instanceof HTMLButtonElement;
    const key = pressed.key.toLowerCase();
    if (onButton && (key === "enter" || key === " ")) return;
    const comparing = this.#other !== null;
    if (key === "arrowleft" || key === "arrowright") this.#step(key === "arrowleft" ? -1 : 1);
    else if (key === " " && !comparing) this.element.close();
    else if ((key === " " || key === "f") && comparing) this.#flip();
    else if (key === "c" && comparing) this.#arrange();
    else if (key === "enter") this.#judge(this.#shown, "selected");
    else if (key === "x") this.#judge(this.#shown, "rejected");
    else if (comparing && (key === "1" || key === "2")) {
      this.#judge(key === "1" ? this.#at : /** @type {number} */ (this.#other), "selected");
    } else if (key === "u") {
      this.#options.undo();
      this.#draw();
    } else return;
    pressed.preventDefault();
  }

  /** @param {number} step */
  #step(step) {
    const { count } = this.#options;
    if (this.#other === null) this.#at = (this.#at + step + count) % count;
    else {
      do this.#other = (this.#other + step + count) % count;
      while (this.#other === this.#at && count > 1);
    }
    this.#draw();
  }

  #flip() {
    this.#sideBySide = false;
    this.#flipped = !this.#flipped;
    this.#draw();
  }

  #arrange() {
    this.#sideBySide = !this.#sideBySide;
    this.#flipped = false;
    this.#draw();
  }

  /**
   * @param {number} place
   * @param {"selected" | "rejected"} verdict
   */
  #judge(place, verdict) {
    this.#options.judge(place, verdict);
    this.#draw();
  }

  #draw() {
    const { t } = this.#options;
    const both = this.#other !== null && this.#sideBySide;
    const places = both ? [this.#at, /** @type {number} */ (this.#other)] : [this.#shown];
    this.#stage.replaceChildren(...places.map((place) => this.#figure(place)));
    const hadFocus = this.#controls.contains(document.activeElement);
    this.#controls.replaceChildren(
      ...(this.#other === null
        ? []
        : [
            button(t("flip"), () => this.#flip()),
            button(t("sideBySide"), () => this.#arrange(), { "aria-pressed": String(this.#sideBySide) }),
          ]),
      element("span", { class: "cc-note", text: t(this.#other === null ? "zoomKeys" : "compareKeys") }),
      button(t("close"), () => this.element.close()),
    );
    if (hadFocus) this.element.focus();
  }

  /** @param {number} place */
  #figure(place) {
    const { t, url, label, verdict } = this.#options;
    const picked = verdict(place) === "selected";
    const rejected = verdict(place) === "rejected";
    return element("figure", { "data-verdict": verdict(place) ?? "" }, [
      element("img", { src: url(place), alt: label(place), draggable: "false" }),
      element("figcaption", {}, [
        element("bdi", { class: "cc-name", text: label(place) }),
        button(t("pick"), () => this.#judge(place, "selected"), {
          class: "cc-pick",
          "aria-pressed": String(picked),
        }),
        button(t("reject"), () => this.#judge(place, "rejected"), {
          class: "cc-reject",
          "aria-pressed": String(rejected),
        }),
      ]),
    ]);
  }
}
