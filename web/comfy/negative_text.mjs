// @ts-check
/** Where the negative prompt of a recommender's images is typed, and how a word is added to it. */

import { inputLink, inputNode } from "./frontend_api.mjs";
import { changeGraph } from "./graph_change.mjs";
import { inputSlot } from "./graph_reading.mjs";

/** @typedef {{ node: ComfyNode, widget: import("../types/comfyui").ComfyWidget }} TypedText */

/** What a node's text is called: of one that only holds it, of an encoder, and of one that passes a negative prompt on. */
const TEXTS = ["value", "text", "negative"];

/** Longer ways are not followed. */
const MOST_STEPS = 50;

/**
 * The text that is drawn: what is connected to the recommender itself, else the first that a node after it has. What is
 * typed in the recommender alone is only read.
 *
 * @param {ComfyNode} recommender
 * @returns {TypedText | null} null where it is computed, or in another graph
 */
export function negativeText(recommender) {
  const own = inputLink(recommender, inputSlot(recommender, "negative")) && textAt(recommender, "negative");
  if (own) return own;
  const reached = [recommender];
  for (const node of reached) {
    const found = node === recommender ? null : textAt(node, "negative");
    if (found) return found;
    for (const other of recommender.graph?.nodes ?? []) {
      const reads = (other.inputs ?? []).some((_, slot) => inputNode(other, slot) === node);
      if (reads && !reached.includes(other)) reached.push(other);
    }
  }
  return null;
}

/**
 * The widget that an input's text is typed in, there or before it.
 *
 * @param {ComfyNode} node
 * @param {string} name
 * @returns {TypedText | null}
 */
export function textAt(node, name) {
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const slot = inputSlot(node, name);
    if (!inputLink(node, slot)) {
      const widget = node.widgets?.find((candidate) => candidate.name === name);
      return typeof widget?.value === "string" ? { node, widget } : null;
    }
    const origin = inputNode(node, slot);
    const next = TEXTS.find(
      (text) => origin && (inputSlot(origin, text) >= 0 || origin.widgets?.some((widget) => widget.name === text)),
    );
    if (!origin || !next) return null;
    node = origin;
    name = next;
  }
  return null;
}

/**
 * @param {TypedText} place
 * @param {string} word
 */
export function addWord({ node, widget }, word) {
  changeGraph(node, () => {
    const before = String(widget.value).replace(/[\s,]+$/, "");
    widget.value = before ? `${before}, ${word}` : word;
  });
}
