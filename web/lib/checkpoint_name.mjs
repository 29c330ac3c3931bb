// @ts-check
/** The short form of a checkpoint's name for narrow views; the whole name is the element's title. */

import { element } from "./dom.mjs";
import { shownName } from "./shown_name.mjs";

/** The file extensions of ComfyUI's checkpoints. */
export const EXTENSION = /\.(safetensors|sft|ckpt|pt2?|bin|pth|pkl)$/i;

/** @param {string} name as in ComfyUI's list, with its folder */
export function shortName(name) {
  return shownName(name.replace(EXTENSION, "") || name);
}

/**
 * In a `bdi`, so that a right-to-left name does not change the order of the text around it.
 *
 * @param {string} name
 */
export function nameElement(name) {
  return element("bdi", { class: "cc-name", text: shortName(name), title: shownName(name) });
}
