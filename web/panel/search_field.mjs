// @ts-check
/** A field to search by, which asks once the person stops typing. */

import { element, field } from "../lib/dom.mjs";

const PAUSE_MS = 250;
const LONGEST = 200;

/**
 * @param {string} label
 * @param {(text: string) => void} searched
 */
export function searchField(label, searched) {
  const input = element("input", { type: "search", maxlength: String(LONGEST), autocomplete: "off" });
  let timer = 0;
  let asked = "";
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      const text = input.value.trim();
      if (text === asked) return;
      asked = text;
      searched(text);
    }, PAUSE_MS);
  });
  return field(label, input);
}
