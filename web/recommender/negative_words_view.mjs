// @ts-check
/** Words that a negative prompt lacks, each with its reason: on the recommender as buttons, on the settings node as text. */

import { button, element } from "../lib/dom.mjs";
import { messageText } from "../lib/i18n.mjs";
import { shownName } from "../lib/shown_name.mjs";

/**
 * @param {Json[]} words `{ word, reason_parts }`, best first
 * @param {Translate} t
 * @param {(word: string, item: HTMLElement) => void} [onPick] without it the words cannot be clicked
 */
export function negativeWordsView(words, t, onPick) {
  if (words.length === 0) return element("p", { class: "cc-note", text: t("negativeNone") });
  const items = words.map(({ word, reason_parts: reason }) => {
    const item = element("li");
    item.append(
      onPick
        ? button(shownName(word), () => onPick(word, item), { class: "cc-word" })
        : element("span", { class: "cc-word", text: shownName(word) }),
      element("span", { class: "cc-note", text: messageText(t, reason) }),
    );
    return item;
  });
  return element("section", {}, [
    element("p", { class: "cc-note", text: t(onPick ? "negativeToAdd" : "negativeAddedHere") }),
    element("ul", { class: "cc-words", "aria-label": t("negativeWords") }, items),
  ]);
}
