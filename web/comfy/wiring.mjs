// @ts-check
/**
 * Adds the pack's nodes to an existing workflow and links them. The only module that adds nodes. Each change can be undone
 * in one step, and no existing link is removed.
 */

import { inputSlot, linkedNode, outputSlot, positiveEncoder } from "./graph_reading.mjs";

/** @typedef {(type: string) => ComfyNode | null} CreateNode */

const RECOMMENDER = "ContextCheckpointRecommender";
const RECORDER = "FeedbackRecorder";
const SAMPLER = "MultiCheckpointSampler";
const TEXT = "PrimitiveStringMultiline";
const GAP_PX = 60;

/** An error with the parts of its message, so that it is translated as the server's errors are. */
class NotWired extends Error {
  /**
   * @param {string} text
   * @param {string} key
   * @param {object} [values]
   */
  constructor(text, key, values) {
    super(text);
    this.parts = [{ text, key, values }];
  }
}

/** @param {ComfyNode} node */
export function isLoader(node) {
  return inputSlot(node, "ckpt_name") >= 0 && linkedNode(node, "ckpt_name") === null;
}

/** @param {ComfyNode} node */
export function makesImages(node) {
  return outputSlot(node, "IMAGE") >= 0 && node.comfyClass !== RECORDER;
}

/**
 * Add a recommender for a loader, and link the positive prompt to it if one is found.
 *
 * @param {ComfyNode} loader
 * @param {CreateNode} createNode
 * @returns {{ withPrompt: boolean }}
 */
export function recommendFor(loader, createNode) {
  return changeGraph(loader, (graph) => {
    const recommender = create(createNode, RECOMMENDER);
    addAt(graph, recommender, loader.pos[0] - recommender.size[0] - GAP_PX, loader.pos[1]);
    connect(recommender, "ckpt_name", loader, "ckpt_name");
    const encoder = positiveEncoder(graph.nodes ?? [], loader);
    if (encoder) sharePrompt(graph, encoder, recommender, createNode);
    return { withPrompt: encoder !== null };
  });
}

/**
 * Add a recorder for a node's images.
 *
 * @param {ComfyNode} node
 * @param {CreateNode} createNode
 * @returns {{ complete: boolean }} not complete if it is unknown which checkpoint makes the images
 */
export function recordFor(node, createNode) {
  return changeGraph(node, (graph) => {
    const recorder = create(createNode, RECORDER);
    addAt(graph, recorder, node.pos[0] + node.size[0] + GAP_PX, node.pos[1]);
    node.connect(outputSlot(node, "IMAGE"), recorder, inputSlot(recorder, "images"));
    if (node.comfyClass === SAMPLER) {
      connect(node, "generation", recorder, "generation");
      return { complete: true };
    }
    const recommenders = (graph.nodes ?? []).filter(({ comfyClass }) => comfyClass === RECOMMENDER);
    if (recommenders.length !== 1) return { complete: false };
    connect(recommenders[0], "plan", recorder, "plan");
    connect(recommenders[0], "ckpt_name", recorder, "ckpt_names");
    return { complete: true };
  });
}

/**
 * Link one text to the encoder and the recommender, so that they cannot differ.
 *
 * @param {ComfyGraph} graph
 * @param {ComfyNode} encoder
 * @param {ComfyNode} recommender
 * @param {CreateNode} createNode
 */
function sharePrompt(graph, encoder, recommender, createNode) {
  const slot = inputSlot(encoder, "text");
  const link = linkedNode(encoder, "text") && graph.getLink(encoder.inputs?.[slot]?.link);
  const origin = link && graph.getNodeById(link.origin_id);
  if (link && origin) {
    origin.connect(link.origin_slot, recommender, inputSlot(recommender, "prompt"));
    return;
  }
  const text = create(createNode, TEXT);
  addAt(graph, text, recommender.pos[0], recommender.pos[1] - text.size[1] - 2 * GAP_PX);
  const prompt = encoder.widgets?.find(({ name }) => name === "text")?.value ?? "";
  const widget = text.widgets?.find(({ name }) => name === "value");
  if (widget) widget.value = prompt;
  text.connect(0, encoder, slot);
  text.connect(0, recommender, inputSlot(recommender, "prompt"));
}

/**
 * Add a node at a position, or below the nodes that are there.
 *
 * @param {ComfyGraph} graph
 * @param {ComfyNode} node
 * @param {number} x
 * @param {number} y
 */
function addAt(graph, node, x, y) {
  const [width, height] = node.size;
  const overlapping = () =>
    graph.nodes?.find(
      ({ pos, size }) => pos[0] < x + width && x < pos[0] + size[0] && pos[1] < y + height && y < pos[1] + size[1],
    );
  for (let other = overlapping(); other; other = overlapping()) y = other.pos[1] + other.size[1] + GAP_PX;
  node.pos = [x, y];
  graph.add(node);
}

/**
 * @template Outcome
 * @param {ComfyNode} node
 * @param {(graph: ComfyGraph) => Outcome} change
 * @returns {Outcome}
 */
function changeGraph(node, change) {
  const { graph } = node;
  if (!graph) throw new NotWired("The node is no longer in a workflow.", "no_workflow");
  graph.beforeChange();
  try {
    return change(graph);
  } finally {
    graph.afterChange();
    graph.setDirtyCanvas(true, true);
  }
}

/**
 * @param {CreateNode} createNode
 * @param {string} type
 */
function create(createNode, type) {
  const node = createNode(type);
  if (!node) throw new NotWired(`ComfyUI has no node ${type}.`, "no_node", { type });
  return node;
}

/**
 * @param {ComfyNode} source
 * @param {string} output
 * @param {ComfyNode} target
 * @param {string} input
 */
function connect(source, output, target, input) {
  const from = (source.outputs ?? []).findIndex(({ name }) => name === output);
  if (!source.connect(from, target, inputSlot(target, input))) {
    throw new NotWired(`${output} does not fit ${input}.`, "no_fit", { output, input });
  }
}
