// @ts-check
/** How a checkpoint is called where room is short; its whole name belongs in the title beside it. */

import { element } from "./dom.mjs";

/** Endings that ComfyUI takes for checkpoints: they tell a person nothing. */
export const ENDING = /\.(safetensors|sft|ckpt|pt2?|bin|pth|pkl)$/i;

/** @param {string} name as ComfyUI lists it, with its folder */
export function shortName(name) {
  return name.replace(ENDING, "") || name;
}

/**
 * `bdi`, so that a name in another direction of writing does not turn its neighbours around.
 *
 * @param {string} name
 */
export function nameElement(name) {
  return element("bdi", { class: "cc-name", text: shortName(name), title: name });
}
