// @ts-check
/**
 * Which nodes of a workflow the pack's nodes can be wired to. Separate from `wiring.mjs`, because a node's menu asks for it
 * each time, and nodes are added rarely.
 */

import { inputLink } from "./frontend_api.mjs";
import { isSubgraphInput, outputSlot } from "./graph_reading.mjs";

export const RECORDER = "FeedbackRecorder";

/** The inputs of loaders that a file's name goes into. */
export const DIFFUSION_MODEL_INPUT = "unet_name";
const MODEL_INPUTS = ["ckpt_name", "base_ckpt_name", DIFFUSION_MODEL_INPUT];

/** What a loader gives that makes images from a prompt: a model, or all of it in one (Efficiency's SDXL loader). */
const MODEL_OUTPUTS = ["MODEL", "SDXL_TUPLE"];

/** Loaders of models that are conditioned by an image (SVD, unCLIP) give this too. */
const IMAGE_CONDITIONED = "CLIP_VISION";

/**
 * Whether a recommender can choose for this node: it loads a checkpoint by its name, and nothing else gives the name. An
 * input of the node's subgraph may.
 *
 * @param {ComfyNode} node
 */
export function isLoader(node) {
  const slot = modelSlot(node);
  const outputs = (node.outputs ?? []).map(({ type }) => type);
  if (slot < 0 || !MODEL_OUTPUTS.some((type) => outputs.includes(type)) || outputs.includes(IMAGE_CONDITIONED))
    return false;
  if (node.inputs?.some(({ type }) => type === "MODEL")) return false; // it passes a model on
  const link = inputLink(node, slot);
  return link === null || isSubgraphInput(link);
}

/** @param {ComfyNode} node */
export function modelSlot(node) {
  return (node.inputs ?? []).findIndex(({ name }) => MODEL_INPUTS.includes(name));
}

/** @param {ComfyNode} node */
export function makesImages(node) {
  return outputSlot(node, "IMAGE") >= 0 && node.comfyClass !== RECORDER;
}
