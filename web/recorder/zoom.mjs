// @ts-check
/**
 * Looks at images in full size over the whole page: one alone, two side by side, or two flipped in one place.
 *
 * It judges nothing itself: a press goes back to the gallery that opened it. While it is open every key stays in
 * it, since ComfyUI listens on the whole window.
 */

import { button, element, isModified } from "../lib/dom.mjs";

export class Look {
  #at;
  /** @type {number | null} */
  #other;
  #flipped = false;
  #sideBySide = true;
  #looked;
  #stage = element("div", { class: "cc-stage" });
  #controls = element("div", { class: "cc-look-controls" });

  /**
   * @param {Looked} looked
   * @param {number} place
   * @param {number | null} other the second of two to compare
   */
  constructor(looked, place, other = null) {
    this.#looked = looked;
    this.#at = place;
    this.#other = other;
    const title = looked.say(other === null ? "zoom" : "compare");
    this.element = element("dialog", { class: "cc-look", "aria-label": title }, [this.#stage, this.#controls]);
    this.element.addEventListener("keydown", (pressed) => this.#pressed(pressed));
    this.element.addEventListener("keyup", (pressed) => pressed.stopPropagation());
    this.element.addEventListener("wheel", (turned) => turned.stopPropagation());
    this.element.addEventListener("close", () => {
      this.element.remove();
      looked.closed(this.#shown);
    });
    this.#draw();
  }

  open() {
    document.body.append(this.element);
    this.element.showModal();
    this.element.focus();
  }

  /** The image that a press means. */
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
      this.#looked.undo();
      this.#draw();
    } else return;
    pressed.preventDefault();
  }

  /** @param {number} step */
  #step(step) {
    const { count } = this.#looked;
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
    this.#looked.judge(place, verdict);
    this.#draw();
  }

  #draw() {
    const { say } = this.#looked;
    const both = this.#other !== null && this.#sideBySide;
    const places = both ? [this.#at, /** @type {number} */ (this.#other)] : [this.#shown];
    this.#stage.replaceChildren(...places.map((place) => this.#figure(place)));
    const held = this.#controls.contains(document.activeElement);
    this.#controls.replaceChildren(
      ...(this.#other === null
        ? []
        : [
            button(say("flip"), () => this.#flip()),
            button(say("sideBySide"), () => this.#arrange(), { "aria-pressed": String(this.#sideBySide) }),
          ]),
      element("span", { class: "cc-note", text: say(this.#other === null ? "zoomKeys" : "compareKeys") }),
      button(say("close"), () => this.element.close()),
    );
    if (held) this.element.focus();
  }

  /** @param {number} place */
  #figure(place) {
    const { say, url, label, verdict } = this.#looked;
    const picked = verdict(place) === "selected";
    const rejected = verdict(place) === "rejected";
    return element("figure", { "data-verdict": verdict(place) ?? "" }, [
      element("img", { src: url(place), alt: label(place), draggable: "false" }),
      element("figcaption", {}, [
        element("bdi", { class: "cc-name", text: label(place) }),
        button(say("pick"), () => this.#judge(place, "selected"), {
          class: "cc-pick",
          "aria-pressed": String(picked),
        }),
        button(say("reject"), () => this.#judge(place, "rejected"), {
          class: "cc-reject",
          "aria-pressed": String(rejected),
        }),
      ]),
    ]);
  }
}
