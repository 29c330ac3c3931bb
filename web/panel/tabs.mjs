// @ts-check
/**
 * Tabs as the ARIA practices describe them: Tab reaches the chosen one, arrows, Home and End lead to the others.
 * What a tab shows is made when it is first chosen.
 */

import { button, element, isModified } from "../lib/dom.mjs";

let made = 0;

export class Tabs {
  #tabs;
  #chosen;
  /** @type {(name: string) => void} */
  #moved;
  /** @type {HTMLElement[]} */
  #buttons;
  /** @type {HTMLElement[]} */
  #pages;
  /** @type {Map<string, Shown>} */
  #shown = new Map();

  /**
   * @param {string} label
   * @param {Tab[]} tabs
   * @param {string} chosen name of the tab to begin with; an unknown one means the first
   * @param {(name: string) => void} moved told of each change
   */
  constructor(label, tabs, chosen, moved) {
    made += 1;
    const id = `cc-tab-${made}`;
    this.#tabs = tabs;
    this.#moved = moved;
    this.#chosen = Math.max(
      0,
      tabs.findIndex(({ name }) => name === chosen),
    );
    this.#buttons = tabs.map(({ name, title }, place) =>
      button(title, () => this.choose(place), {
        role: "tab",
        id: `${id}-${name}`,
        "aria-controls": `${id}-${name}-page`,
        "data-tab": name,
      }),
    );
    this.#pages = tabs.map(({ name }) =>
      element("div", {
        role: "tabpanel",
        id: `${id}-${name}-page`,
        "aria-labelledby": `${id}-${name}`,
        tabindex: "0",
      }),
    );
    const list = element("div", { role: "tablist", "aria-label": label }, this.#buttons);
    list.addEventListener("keydown", (pressed) => this.#pressed(pressed));
    this.element = element("div", { class: "cc-tabs" }, [list, ...this.#pages]);
  }

  /** Show the chosen tab with what is true now. */
  refresh() {
    for (const [place, tab] of this.#tabs.entries()) {
      const chosen = place === this.#chosen;
      this.#buttons[place].setAttribute("aria-selected", String(chosen));
      this.#buttons[place].setAttribute("tabindex", chosen ? "0" : "-1");
      this.#pages[place].hidden = !chosen;
      if (!chosen) this.#shown.get(tab.name)?.hide?.();
    }
    const { name, make } = this.#tabs[this.#chosen];
    let shown = this.#shown.get(name);
    if (!shown) {
      shown = make();
      this.#shown.set(name, shown);
      this.#pages[this.#chosen].append(shown.element);
    }
    shown.show();
  }

  /** Nobody looks any more. */
  hide() {
    for (const shown of this.#shown.values()) shown.hide?.();
  }

  /** @param {number} place */
  choose(place) {
    this.#chosen = place;
    this.#moved(this.#tabs[place].name);
    this.refresh();
  }

  /** @param {KeyboardEvent} pressed */
  #pressed(pressed) {
    if (isModified(pressed)) return;
    const last = this.#tabs.length - 1;
    const rightToLeft = getComputedStyle(this.element).direction === "rtl";
    const [back, on] = rightToLeft ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    const to = {
      [back]: this.#chosen === 0 ? last : this.#chosen - 1,
      [on]: this.#chosen === last ? 0 : this.#chosen + 1,
      Home: 0,
      End: last,
    }[pressed.key];
    if (to === undefined) return;
    pressed.preventDefault();
    pressed.stopPropagation();
    this.choose(to);
    this.#buttons[to].focus();
  }
}
