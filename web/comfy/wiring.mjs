// @ts-check
/**
 * Wires the pack's nodes into a workflow that is there already. The only module that adds nodes; what it makes can
 * be undone in one step, and no link that a person has made is taken away.
 */

import { feeding, inputSlot, outputSlot, positiveEncoder } from "./graph_reading.mjs";

/** @typedef {(type: string) => ComfyNode | null} CreateNode */

const RECOMMENDER = "ContextCheckpointRecommender";
const RECORDER = "FeedbackRecorder";
const SAMPLER = "MultiCheckpointSampler";
const TEXT = "PrimitiveStringMultiline";
const GAP_PX = 60;

/** Told in the person's language, as what the server refuses is. */
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

/** @param {ComfyNode} node one whose checkpoint a person chooses */
export function isLoader(node) {
  return inputSlot(node, "ckpt_name") >= 0 && feeding(node, "ckpt_name") === null;
}

/** @param {ComfyNode} node */
export function makesImages(node) {
  return outputSlot(node, "IMAGE") >= 0 && node.comfyClass !== RECORDER;
}

/**
 * Let a recommender choose for a loader, and give it the positive prompt where that is found.
 *
 * @param {ComfyNode} loader
 * @param {CreateNode} createNode
 * @returns {{ withPrompt: boolean }}
 */
export function recommendFor(loader, createNode) {
  return changed(loader, (graph) => {
    const recommender = created(createNode, RECOMMENDER);
    addAt(graph, recommender, loader.pos[0] - recommender.size[0] - GAP_PX, loader.pos[1]);
    connect(recommender, "ckpt_name", loader, "ckpt_name");
    const encoder = positiveEncoder(graph.nodes ?? [], loader);
    if (encoder) sharePrompt(graph, encoder, recommender, createNode);
    return { withPrompt: encoder !== null };
  });
}

/**
 * Record what is said of a node's images.
 *
 * @param {ComfyNode} node
 * @param {CreateNode} createNode
 * @returns {{ complete: boolean }} not complete where it is not known which checkpoint makes the images
 */
export function recordFor(node, createNode) {
  return changed(node, (graph) => {
    const recorder = created(createNode, RECORDER);
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
 * One text for the encoder and the recommender, so that they cannot come apart.
 *
 * @param {ComfyGraph} graph
 * @param {ComfyNode} encoder
 * @param {ComfyNode} recommender
 * @param {CreateNode} createNode
 */
function sharePrompt(graph, encoder, recommender, createNode) {
  const slot = inputSlot(encoder, "text");
  const link = feeding(encoder, "text") && graph.getLink(encoder.inputs?.[slot]?.link);
  const origin = link && graph.getNodeById(link.origin_id);
  if (link && origin) {
    origin.connect(link.origin_slot, recommender, inputSlot(recommender, "prompt"));
    return;
  }
  const text = created(createNode, TEXT);
  addAt(graph, text, recommender.pos[0], recommender.pos[1] - text.size[1] - 2 * GAP_PX);
  const written = encoder.widgets?.find(({ name }) => name === "text")?.value ?? "";
  const widget = text.widgets?.find(({ name }) => name === "value");
  if (widget) widget.value = written;
  text.connect(0, encoder, slot);
  text.connect(0, recommender, inputSlot(recommender, "prompt"));
}

/**
 * Add a node there, or else below what lies there already.
 *
 * @param {ComfyGraph} graph
 * @param {ComfyNode} node
 * @param {number} x
 * @param {number} y
 */
function addAt(graph, node, x, y) {
  const [width, height] = node.size;
  const inTheWay = () =>
    graph.nodes?.find(
      ({ pos, size }) => pos[0] < x + width && x < pos[0] + size[0] && pos[1] < y + height && y < pos[1] + size[1],
    );
  for (let other = inTheWay(); other; other = inTheWay()) y = other.pos[1] + other.size[1] + GAP_PX;
  node.pos = [x, y];
  graph.add(node);
}

/**
 * @template Outcome
 * @param {ComfyNode} node
 * @param {(graph: ComfyGraph) => Outcome} change
 * @returns {Outcome}
 */
function changed(node, change) {
  const { graph } = node;
  if (!graph) throw new NotWired("The node is in no workflow any more.", "no_workflow");
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
function created(createNode, type) {
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
