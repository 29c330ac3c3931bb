// @ts-check
/** Reads what is wired to what in a workflow. Changes nothing; the nodes are whatever ComfyUI made them. */

/** Nodes whose only business is a text; its widget is called `value`. */
const TEXT_NODES = ["PrimitiveString", "PrimitiveStringMultiline"];

/** Longer chains are not followed: they end in a circle or in something else than a loader. */
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
 * The node that feeds an input; null where nothing does.
 *
 * @param {ComfyNode} node
 * @param {string} name
 */
export function feeding(node, name) {
  const slot = inputSlot(node, name);
  return slot < 0 ? null : (node.getInputNode(slot) ?? null);
}

/**
 * What the node's widgets say, with the text of a connected prompt where that can be known before a run.
 *
 * @param {ComfyNode} node
 * @returns {Record<string, any> | null} null where a connected node makes the prompt
 */
export function valuesOf(node) {
  const values = Object.fromEntries((node.widgets ?? []).map(({ name, value }) => [name, value]));
  const origin = feeding(node, "prompt");
  if (!origin) return values;
  if (!TEXT_NODES.includes(origin.comfyClass ?? "") || feeding(origin, "value")) return null;
  return { ...values, prompt: origin.widgets?.find(({ name }) => name === "value")?.value };
}

/**
 * The text encoder whose result some node takes as `positive` and that a loader feeds; null where there is none, or
 * more than one.
 *
 * @param {ComfyNode[]} nodes of the loader's graph
 * @param {ComfyNode} loader
 */
export function positiveEncoder(nodes, loader) {
  const found = new Set(
    nodes
      .map((node) => feeding(node, "positive"))
      .filter((origin) => origin?.comfyClass === "CLIPTextEncode" && comesFrom(origin, loader)),
  );
  return found.size === 1 ? /** @type {ComfyNode} */ ([...found][0]) : null;
}

/**
 * @param {ComfyNode} node
 * @param {ComfyNode} origin
 */
function comesFrom(node, origin) {
  const seen = new Set([node]);
  const waiting = [node];
  while (waiting.length > 0 && seen.size < MOST_STEPS) {
    const next = /** @type {ComfyNode} */ (waiting.pop());
    if (next === origin) return true;
    for (const slot of (next.inputs ?? []).keys()) {
      const before = next.getInputNode(slot);
      if (before && !seen.has(before)) {
        seen.add(before);
        waiting.push(before);
      }
    }
  }
  return false;
}
