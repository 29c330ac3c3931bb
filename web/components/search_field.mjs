// @ts-check
/** A search field that searches once the person stops typing. */

import { element, field } from "../lib/dom.mjs";

const DEBOUNCE_MS = 250;
const MAX_LENGTH = 200;

/**
 * @param {string} label
 * @param {(text: string) => void} onSearch
 */
export function searchField(label, onSearch) {
  const input = element("input", { type: "search", maxlength: String(MAX_LENGTH), autocomplete: "off" });
  let timer = 0;
  let searched = "";
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      const text = input.value.trim();
      if (text === searched) return;
      searched = text;
      onSearch(text);
    }, DEBOUNCE_MS);
  });
  return field(label, input);
}
