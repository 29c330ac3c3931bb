// @ts-check
/** Reads the links of a workflow's nodes. Changes nothing. */

import { inputLink, inputNode } from "./frontend_api.mjs";
import { allNodes } from "./node_display.mjs";

/** Nodes that only hold a text, in a widget called `value`. */
const TEXT_NODES = ["PrimitiveString", "PrimitiveStringMultiline"];

/** Deeper subgraphs are not followed. */
const MOST_STEPS = 50;

/** The id that links from a subgraph's inputs have for their origin. */
const SUBGRAPH_INPUTS = "-10";

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
  return inputNode(node, inputSlot(node, name));
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
 * Whether a link comes from an input of its subgraph, and not from a node.
 *
 * @param {import("../types/comfyui").ComfyLink} link
 */
export function isSubgraphInput(link) {
  return String(link.origin_id) === SUBGRAPH_INPUTS;
}

/**
 * The widget of an input, where it has one.
 *
 * @param {ComfyNode} node
 * @param {number} slot
 */
export function widgetOf(node, slot) {
  const input = node.inputs?.[slot];
  return node.widgets?.find(({ name }) => name === (input?.widget?.name ?? input?.name));
}

/**
 * Where an input gets its value from: itself, or, where it is an input of its subgraph, that of the subgraph's node.
 *
 * @param {ComfyGraph} root
 * @param {ComfyNode} node
 * @param {number} slot
 * @returns {{ node: ComfyNode, slot: number, link: import("../types/comfyui").ComfyLink | null } | null} null where the
 *   subgraph is used more than once, so that there is no one place
 */
export function outermost(root, node, slot) {
  for (let step = 0; step < MOST_STEPS && slot >= 0; step += 1) {
    const link = inputLink(node, slot);
    if (!link || !isSubgraphInput(link)) return { node, slot, link };
    const uses = usesOf(root, node.graph);
    if (uses.length !== 1) return null;
    const name = node.graph?.inputs?.[link.origin_slot]?.name ?? "";
    node = uses[0];
    slot = inputSlot(node, name);
  }
  return null;
}

/**
 * Whether a widget is shown on its subgraph's node without being an input of it.
 *
 * @param {ComfyGraph} root
 * @param {ComfyNode} node
 * @param {string} widget
 */
export function isShownOutside(root, node, widget) {
  return usesOf(root, node.graph).some(({ properties }) =>
    (properties?.proxyWidgets ?? []).some(
      (/** @type {any[]} */ [id, name]) => String(id) === String(node.id) && name === widget,
    ),
  );
}

/**
 * A node's id in a run: `"7"`, or `"5:7"` inside the subgraph node 5.
 *
 * @param {ComfyGraph} root
 * @param {ComfyNode} node
 * @returns {string}
 */
export function runId(root, node) {
  const [use] = usesOf(root, node.graph);
  return use ? `${runId(root, use)}:${node.id}` : String(node.id);
}

/**
 * The nodes that stand for a subgraph.
 *
 * @param {ComfyGraph} root
 * @param {ComfyGraph | null | undefined} graph
 */
function usesOf(root, graph) {
  return graph && graph !== root ? allNodes(root).filter(({ subgraph }) => subgraph === graph) : [];
}
