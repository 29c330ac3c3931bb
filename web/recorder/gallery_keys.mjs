// @ts-check
/** The action of each key in the gallery, and where an arrow moves to, as values: no DOM. */

import { isModified } from "../lib/dom.mjs";

/**
 * @typedef {object} KeyAction
 * @property {"pick" | "only" | "reject" | "undo" | "zoom" | "compare" | "continue" | "leave" | "move"} action
 * @property {number} [to] for a digit: the place of the image, counted from 0
 */

/** @type {Record<string, KeyAction["action"]>} */
const ACTIONS = {
  Enter: "pick",
  o: "only",
  x: "reject",
  u: "undo",
  " ": "zoom",
  c: "compare",
  Escape: "leave",
  ArrowLeft: "move",
  ArrowRight: "move",
  ArrowUp: "move",
  ArrowDown: "move",
  Home: "move",
  End: "move",
};

/**
 * @param {{ key: string, shiftKey?: boolean, ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean }} pressed
 * @returns {KeyAction | null}
 */
export function actionOf(pressed) {
  if (isModified(pressed)) return null;
  if (pressed.shiftKey && pressed.key === "Enter") return { action: "continue" };
  if (/^[1-9]$/.test(pressed.key)) return { action: "pick", to: Number(pressed.key) - 1 };
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  const action = Object.hasOwn(ACTIONS, key) ? ACTIONS[key] : null;
  return action ? { action } : null;
}

/**
 * @param {number} from
 * @param {string} key an arrow, Home or End
 * @param {number} count images
 * @param {number} columns
 * @returns {number} the new place; the old one where there is none
 */
export function moved(from, key, count, columns) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const to = from + (steps[/** @type {keyof typeof steps} */ (key)] ?? 0);
  return to >= 0 && to < count ? to : from;
}
