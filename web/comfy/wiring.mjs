// @ts-check
/**
 * Adds the pack's nodes to an existing workflow and links them. The only module that adds nodes; it is loaded with the first
 * use. Each change can be undone
 * in one step, and no existing link is removed.
 */

import { drawnSize } from "./frontend_api.mjs";
import { changeGraph, NotWired } from "./graph_change.mjs";
import { inputSlot, isShownOutside, outermost, outputSlot, runId, widgetOf } from "./graph_reading.mjs";
import { nodeById } from "./node_display.mjs";
import { DIFFUSION_MODEL_INPUT, modelSlot, RECORDER } from "./wirable.mjs";

/** @typedef {(type: string) => ComfyNode | null} CreateNode */

const RECOMMENDER = "ContextCheckpointRecommender";
const SAMPLER = "MultiCheckpointSampler";
const GAP_PX = 60;

/** The recommender's choices for `needs`, by the parts that a graph takes from its loader. */
const NEEDS = /** @type {const} */ ({ "CLIP,VAE": "CLIP and VAE", CLIP: "CLIP", VAE: "VAE", "": "model only" });

const SEVERAL_USES = /** @type {const} */ ([
  "The loader is in a subgraph that is used several times. Put the recommender next to the one that you mean.",
  "several_uses",
]);

const PROMPT_APART = {
  text: "The prompt comes from several places, or from outside of this subgraph.",
  key: "prompt_apart",
};

/**
 * Add a recommender for a loader, set to the loader's file, and let it and the text encoder read one prompt. Where the
 * loader's choice is an input of its subgraph, the recommender is put outside.
 *
 * @param {ComfyNode} loader
 * @param {object} page
 * @param {ComfyGraph} page.root
 * @param {CreateNode} page.createNode
 * @param {(loader: string) => Promise<GraphReading>} page.read what the loader's image is made from
 * @returns {Promise<{ withPrompt: boolean, reason?: Json[] }>} with the reason why the prompt was not connected
 */
export async function recommendFor(loader, { root, createNode, read }) {
  const slot = modelSlot(loader);
  const input = loader.inputs?.[slot]?.name ?? "";
  const target = outermost(root, loader, slot);
  if (!target) throw new NotWired(...SEVERAL_USES);
  if (target.link)
    throw new NotWired(`${input} is connected outside of the subgraph already.`, "chosen_outside", { input });
  if (target.node === loader && isShownOutside(root, loader, input)) {
    const how = "remove it there, or make it an input of the subgraph";
    throw new NotWired(`${input} is shown on the subgraph's node: ${how}.`, "shown_outside", { input });
  }
  const reading = await read(runId(root, loader));
  return changeGraph(target.node, (graph) => {
    const recommender = create(createNode, RECOMMENDER);
    setPool(recommender, reading);
    setParts(recommender, loader, input);
    addAt(graph, recommender, target.node.pos[0] - recommender.size[0] - GAP_PX, target.node.pos[1]);
    connect(recommender, "ckpt_name", target.node, target.node.inputs?.[target.slot].name ?? "");
    const shared = reading.positive !== null && sharePrompt(root, recommender, reading.positive);
    if (shared) return { withPrompt: true };
    const stopped = reading.unclear.find(({ field }) => field === "positive");
    return { withPrompt: false, reason: stopped?.parts ?? [PROMPT_APART] };
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
    addAt(graph, recorder, node.pos[0] + drawnSize(node)[0] + GAP_PX, node.pos[1]);
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
 * Add the two nodes that a recommender needs, to its right, and link all three.
 *
 * @param {ComfyNode} recommender
 * @param {CreateNode} createNode
 * @returns {ComfyNode} the last one
 */
export function addSamplerAndRecorder(recommender, createNode) {
  return changeGraph(recommender, (graph) => {
    const [sampler, recorder] = [SAMPLER, RECORDER].map((type) => create(createNode, type));
    addAt(graph, sampler, recommender.pos[0] + drawnSize(recommender)[0] + GAP_PX, recommender.pos[1]);
    addAt(graph, recorder, sampler.pos[0] + drawnSize(sampler)[0] + GAP_PX, sampler.pos[1]);
    connect(recommender, "plan", sampler, "plan");
    connect(sampler, "images", recorder, "images");
    connect(sampler, "generation", recorder, "generation");
    return recorder;
  });
}

/**
 * Keep to the folder that the loader reads, and to files that hold what the graph takes from it.
 *
 * @param {ComfyNode} recommender
 * @param {ComfyNode} loader
 * @param {string} input
 */
function setParts(recommender, loader, input) {
  if (input === DIFFUSION_MODEL_INPUT) {
    setWidget(recommender, "folder", /gguf/i.test(loader.comfyClass ?? "") ? "unet_gguf" : "diffusion_models");
    return;
  }
  const linked = (/** @type {string} */ type) => loader.isOutputConnected(outputSlot(loader, type));
  if (!linked("MODEL") || outputSlot(loader, "CLIP") < 0 || outputSlot(loader, "VAE") < 0) return;
  const parts = /** @type {keyof typeof NEEDS} */ (["CLIP", "VAE"].filter(linked).join(","));
  setWidget(recommender, "needs", NEEDS[parts]);
}

/**
 * Keep to the architecture of the file that the loader has now, and to the file itself where nothing is known of it.
 *
 * A seed that stays lets ComfyUI keep what the loader has read.
 *
 * @param {ComfyNode} recommender
 * @param {GraphReading} reading
 */
function setPool(recommender, { model, family }) {
  setWidget(recommender, "control_after_generate", "fixed");
  if (!model) return;
  setWidget(recommender, "fallback", model);
  if (!setWidget(recommender, "family", family)) setWidget(recommender, "include", model.replace(/[,*\n]/g, "?"));
}

/**
 * @param {ComfyNode} node
 * @param {string} name
 * @param {unknown} value
 * @returns {boolean} whether the widget takes it
 */
function setWidget(node, name, value) {
  const widget = node.widgets?.find((candidate) => candidate.name === name);
  const choices = /** @type {any} */ (widget?.options)?.values;
  if (!widget || value === "" || (Array.isArray(choices) && !choices.includes(value))) return false;
  widget.value = value;
  return true;
}

/**
 * Let the recommender and the encoder read one text, so that they cannot differ: what is connected to the encoder is
 * connected to the recommender too, and what is typed there moves into the recommender, which gives it on. Its widget
 * draws dynamic prompts as the encoder's does.
 *
 * @param {ComfyGraph} root
 * @param {ComfyNode} recommender
 * @param {GraphText} positive
 * @returns {boolean} false where the text comes from several places, or from another graph than the recommender's
 */
function sharePrompt(root, recommender, positive) {
  const prompt = inputSlot(recommender, "prompt");
  const places = positive.entries.map(({ node: id, input }) => {
    const node = nodeById(root, id);
    return node && outermost(root, node, inputSlot(node, input));
  });
  const sources = new Set(
    places.map((place) => {
      if (!place || place.node.graph !== recommender.graph) return "elsewhere";
      const { node, slot, link } = place;
      return link ? `${link.origin_id}/${link.origin_slot}` : `typed ${widgetOf(node, slot)?.value ?? ""}`;
    }),
  );
  const [first] = places;
  if (!first || sources.size !== 1 || sources.has("elsewhere")) return false;
  const origin = first.link && recommender.graph?.getNodeById(first.link.origin_id);
  if (origin && first.link && !origin.connect(first.link.origin_slot, recommender, prompt)) return false;
  // A primitive node runs nowhere: it copies its text into each widget, where a dynamic prompt is drawn once more.
  if (origin && origin.type !== "PrimitiveNode") return true;
  if (!origin) setWidget(recommender, "prompt", widgetOf(first.node, first.slot)?.value ?? "");
  const output = (recommender.outputs ?? []).findIndex(({ name }) => name === "prompt");
  for (const place of places) if (place) recommender.connect(output, place.node, place.slot);
  return true;
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
    graph.nodes?.find((other) => {
      const [left, top] = other.pos;
      const [otherWidth, otherHeight] = drawnSize(other);
      return left < x + width && x < left + otherWidth && top < y + height && y < top + otherHeight;
    });
  for (let other = overlapping(); other; other = overlapping()) y = other.pos[1] + drawnSize(other)[1] + GAP_PX;
  node.pos = [x, y];
  graph.add(node);
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
