// @ts-check
/** Reads the links of a workflow's nodes. Changes nothing. */

/** Nodes that only hold a text, in a widget called `value`. */
const TEXT_NODES = ["PrimitiveString", "PrimitiveStringMultiline"];

/** Longer chains are not followed: they are circular or do not end in a loader. */
const MOST_STEPS = 200;

/**
 * @param {ComfyNode} node
 * @param {string} name
 */
export function inputSlot(node, name) {
  return (node.inputs ?? []).findIndex((input) => input.name === name);
}

/**
 * @param {ComfyNode} node
 * @param {string} type
 */
export function outputSlot(node, type) {
  return (node.outputs ?? []).findIndex((output) => output.type === type);
}

/**
 * The node whose output is linked to an input; null where there is no link.
 *
 * @param {ComfyNode} node
 * @param {string} name
 */
export function linkedNode(node, name) {
  const slot = inputSlot(node, name);
  return slot < 0 ? null : (node.getInputNode(slot) ?? null);
}

/**
 * The values of a node's widgets, with the text of a linked prompt where it is known before a run.
 *
 * @param {ComfyNode} node
 * @returns {Record<string, any> | null} null where a linked node computes the prompt
 */
export function valuesOf(node) {
  const values = Object.fromEntries((node.widgets ?? []).map(({ name, value }) => [name, value]));
  const origin = linkedNode(node, "prompt");
  if (!origin) return values;
  if (!TEXT_NODES.includes(origin.comfyClass ?? "") || linkedNode(origin, "value")) return null;
  return { ...values, prompt: origin.widgets?.find(({ name }) => name === "value")?.value };
}

/**
 * The text encoder that is linked to some node's `positive` and gets its CLIP from a loader; null where there is none or
 * more than one.
 *
 * @param {ComfyNode[]} nodes of the loader's graph
 * @param {ComfyNode} loader
 */
export function positiveEncoder(nodes, loader) {
  const encoders = new Set(
    nodes
      .map((node) => linkedNode(node, "positive"))
      .filter((origin) => origin?.comfyClass === "CLIPTextEncode" && comesFrom(origin, loader)),
  );
  return encoders.size === 1 ? /** @type {ComfyNode} */ ([...encoders][0]) : null;
}

/**
 * @param {ComfyNode} node
 * @param {ComfyNode} origin
 */
function comesFrom(node, origin) {
  const seen = new Set([node]);
  const queue = [node];
  while (queue.length > 0 && seen.size < MOST_STEPS) {
    const next = /** @type {ComfyNode} */ (queue.pop());
    if (next === origin) return true;
    for (const slot of (next.inputs ?? []).keys()) {
      const before = next.getInputNode(slot);
      if (before && !seen.has(before)) {
        seen.add(before);
        queue.push(before);
      }
    }
  }
  return false;
}
