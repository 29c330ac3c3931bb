// @ts-check
/** How numbers, shares and moments look in every table of the panel. */

import { element } from "../lib/dom.mjs";
import { localeOf } from "../lib/i18n.mjs";
import { percent } from "../recommender/plan.mjs";
import { wilson } from "./interval.mjs";

/** @param {number} number images may be weighted, and then are not whole */
export function amount(number) {
  return number.toLocaleString(undefined, { maximumFractionDigits: 1 });
}

/**
 * @param {string} iso
 * @param {Say} say
 */
export function moment(iso, say) {
  return new Date(iso).toLocaleString(localeOf(say), { dateStyle: "medium", timeStyle: "short" });
}

/**
 * @param {string} key of the row's number
 * @param {string} title
 * @param {string} [help]
 * @returns {Column<any>}
 */
export function amountColumn(key, title, help) {
  return { key, title, help, numeric: true, cell: (row) => amount(row[key]) };
}

/**
 * @param {string} title
 * @param {Say} say
 * @returns {Column<any>}
 */
export function rateColumn(title, say) {
  return { key: "rate", title, numeric: true, cell: (row) => rateCell(row.selected, row.total, say) };
}

/**
 * A share with the interval it likely lies in: a bar for the eye, words for everybody.
 *
 * @param {number} selected
 * @param {number} total
 * @param {Say} say
 */
function rateCell(selected, total, say) {
  const told = wilson(selected, total);
  if (!told) return element("span", { text: "–" });
  const { rate, low, high } = told;
  const words = say("rateSaid", { rate: percent(rate), low: percent(low), high: percent(high) });
  const likely = element("span", { class: "cc-likely" });
  likely.style.insetInlineStart = `${100 * low}%`;
  likely.style.inlineSize = `${100 * (high - low)}%`;
  const at = element("span", { class: "cc-at" });
  at.style.insetInlineStart = `${100 * rate}%`;
  return element("span", { class: "cc-rate", title: words, role: "img", "aria-label": words }, [
    element("span", { class: "cc-rate-number", text: percent(rate) }),
    element("span", { class: "cc-rate-bar" }, [likely, at]),
  ]);
}
