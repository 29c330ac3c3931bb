// @ts-check
/**
 * Tabs as the ARIA practices describe them: the Tab key reaches the selected one, arrows, Home and End select the others.
 * A tab's view is created when it is first selected.
 */

import { button, element, isModified } from "../lib/dom.mjs";

let instances = 0;

export class Tabs {
  #tabs;
  #selected;
  /** @type {(name: string) => void} */
  #onSelect;
  /** @type {HTMLElement[]} */
  #buttons;
  /** @type {HTMLElement[]} */
  #pages;
  /** @type {Map<string, TabView>} */
  #views = new Map();

  /**
   * @param {string} label
   * @param {Tab[]} tabs
   * @param {string} selected name of the first tab to show; an unknown one means the leftmost
   * @param {(name: string) => void} onSelect called at each change
   */
  constructor(label, tabs, selected, onSelect) {
    instances += 1;
    const id = `cc-tab-${instances}`;
    this.#tabs = tabs;
    this.#onSelect = onSelect;
    this.#selected = Math.max(
      0,
      tabs.findIndex(({ name }) => name === selected),
    );
    this.#buttons = tabs.map(({ name, title }, place) =>
      button(title, () => this.select(place), {
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

  /** Show the selected tab with current data. */
  refresh() {
    for (const [place, tab] of this.#tabs.entries()) {
      const selected = place === this.#selected;
      this.#buttons[place].setAttribute("aria-selected", String(selected));
      this.#buttons[place].setAttribute("tabindex", selected ? "0" : "-1");
      this.#pages[place].hidden = !selected;
      if (!selected) this.#views.get(tab.name)?.hide?.();
    }
    const { name, create } = this.#tabs[this.#selected];
    let view = this.#views.get(name);
    if (!view) {
      view = create();
      this.#views.set(name, view);
      this.#pages[this.#selected].append(view.element);
    }
    view.show();
  }

  /** Hide all views, so that no request of theirs goes on. */
  hide() {
    for (const view of this.#views.values()) view.hide?.();
  }

  /** @param {number} place */
  select(place) {
    this.#selected = place;
    this.#onSelect(this.#tabs[place].name);
    this.refresh();
  }

  /** @param {KeyboardEvent} pressed */
  #pressed(pressed) {
    if (isModified(pressed)) return;
    const last = this.#tabs.length - 1;
    const rightToLeft = getComputedStyle(this.element).direction === "rtl";
    const [previous, next] = rightToLeft ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    const to = {
      [previous]: this.#selected === 0 ? last : this.#selected - 1,
      [next]: this.#selected === last ? 0 : this.#selected + 1,
      Home: 0,
      End: last,
    }[pressed.key];
    if (to === undefined) return;
    pressed.preventDefault();
    pressed.stopPropagation();
    this.select(to);
    this.#buttons[to].focus();
  }
}
