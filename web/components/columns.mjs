// @ts-check
/** How numbers, shares and times look in every table of the panel, and the columns that show them. */

import { element } from "../lib/dom.mjs";
import { localeOf } from "../lib/i18n.mjs";
import { percent } from "../recommender/plan.mjs";
import { wilsonInterval } from "./wilson_interval.mjs";

/** @param {number} number weights count as images, so it need not be whole */
export function formatNumber(number) {
  return number.toLocaleString(undefined, { maximumFractionDigits: 1 });
}

/**
 * @param {string} iso
 * @param {Translate} t
 */
export function formatTime(iso, t) {
  return new Date(iso).toLocaleString(localeOf(t), { dateStyle: "medium", timeStyle: "short" });
}

/**
 * @param {string} key of the row's number
 * @param {string} title
 * @param {string} [help]
 * @returns {Column<any>}
 */
export function numberColumn(key, title, help) {
  return { key, title, help, numeric: true, cell: (row) => formatNumber(row[key]) };
}

/**
 * @param {string} title
 * @param {Translate} t
 * @returns {Column<any>}
 */
export function rateColumn(title, t) {
  return { key: "rate", title, numeric: true, cell: (row) => rateCell(row.selected, row.total, t) };
}

/**
 * A share with its interval, as a bar and in words.
 *
 * @param {number} selected
 * @param {number} total
 * @param {Translate} t
 */
function rateCell(selected, total, t) {
  const interval = wilsonInterval(selected, total);
  if (!interval) return element("span", { text: "–" });
  const { rate, low, high } = interval;
  const text = t("rateInterval", { rate: percent(rate), low: percent(low), high: percent(high) });
  const range = element("span", { class: "cc-interval" });
  range.style.insetInlineStart = `${100 * low}%`;
  range.style.inlineSize = `${100 * (high - low)}%`;
  const estimate = element("span", { class: "cc-estimate" });
  estimate.style.insetInlineStart = `${100 * rate}%`;
  return element("span", { class: "cc-rate", title: text, role: "img", "aria-label": text }, [
    element("span", { class: "cc-rate-number", text: percent(rate) }),
    element("span", { class: "cc-rate-bar" }, [range, estimate]),
  ]);
}
