// @ts-check
/**
 * The pack's example workflows: what each of them needs, and opening one with the models that this person has.
 *
 * ComfyUI lists and serves them as templates. What an example needs is read from the workflow itself, so that a new file in
 * `example_workflows/` is offered without being named here. Opened is a copy in a tab of its own, as from ComfyUI's list of
 * templates.
 */

/** Those to begin with; the others follow by name. */
const FIRST = ["three_nodes", "your_own_graph", "diffusion_models", "loras"];

const RECOMMENDER = "ContextCheckpointRecommender";
const LORA_RECOMMENDER = "ContextLoraRecommender";

/** Families whose images are made at about a megapixel; the examples' own size is that of SD 1.5. */
const LARGE = new Set(
  "sdxl sd3 flux flux2 chroma auraflow pixart hunyuan_dit hidream lumina2 zimage qwen_image omnigen2".split(" "),
);
const MODEL_FILE = /\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$/i;
const SMALL_PX = 512;
const LARGE_PX = 1024;

/**
 * @typedef {object} Example
 * @property {string} name of the file, without its ending
 * @property {string} picture its address
 * @property {Json} workflow
 * @property {Needs} needs
 *
 * @typedef {object} Needs
 * @property {string} folder ComfyUI's model folder that it chooses from
 * @property {boolean} loras whether it is about LoRAs
 * @property {boolean} draft whether it begins with small drafts
 *
 * @typedef {object} Workflows what is needed of ComfyUI
 * @property {(path: string) => Promise<Response>} fetchApi
 * @property {(path: string) => string} apiUrl
 * @property {string} pack the name of the pack's folder
 * @property {(workflow: Json, name: string) => Promise<unknown>} open
 * @property {() => ComfyNode[]} nodes of the workflow that is open
 * @property {() => Promise<void>} refresh lists the files of all nodes again
 */

/**
 * @param {Workflows} comfy
 * @returns {Promise<Example[]>}
 */
export async function examples({ fetchApi, apiUrl, pack }) {
  const read = async (/** @type {string} */ path) => {
    const response = await fetchApi(path);
    if (!response.ok) throw new Error(`${response.status} ${path}`);
    return response.json();
  };
  const listed = await read("/workflow_templates");
  const folder = `/workflow_templates/${encodeURIComponent(pack)}`;
  const names = /** @type {string[]} */ (listed[pack] ?? []);
  const place = (/** @type {string} */ name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  names.sort((one, other) => place(one) - place(other) || one.localeCompare(other));
  return Promise.all(
    names.map(async (name) => {
      const workflow = await read(`${folder}/${encodeURIComponent(name)}.json`);
      return { name, workflow, needs: needsOf(workflow), picture: apiUrl(`${folder}/${encodeURIComponent(name)}.jpg`) };
    }),
  );
}

/**
 * @param {Json} workflow as the frontend saves it
 * @returns {Needs}
 */
export function needsOf(workflow) {
  const graphs = [workflow, ...(workflow.definitions?.subgraphs ?? [])];
  const nodes = graphs.flatMap((graph) => graph.nodes ?? []);
  const values = nodes.filter(({ type }) => type === RECOMMENDER).flatMap((node) => node.widgets_values ?? []);
  return {
    folder: values.includes("diffusion_models") ? "diffusion_models" : "checkpoints",
    draft: values.includes("draft"),
    loras: nodes.some(({ type }) => type === LORA_RECOMMENDER),
  };
}

/**
 * What an example lacks here; empty where it fits.
 *
 * @param {Needs} needs
 * @param {Json[]} models of `GET start`
 * @returns {"" | "checkpoints" | "diffusion_models" | "loras"}
 */
export function lacking({ folder, loras }, models) {
  const usable = usableModels(models, folder);
  if (usable.length === 0) return /** @type {"checkpoints" | "diffusion_models"} */ (folder);
  return loras && !usable.some((model) => model.loras > 0) ? "loras" : "";
}

/**
 * @param {Json[]} models
 * @param {string} folder
 */
function usableModels(models, folder) {
  return models.filter(
    (model) => model.folder === folder && model.text_alone && (folder !== "checkpoints" || model.whole > 0),
  );
}

/**
 * Open an example, and set what is this person's own in it: the family that there is most of, a size that suits it, and a
 * file where the example cannot name one.
 *
 * @param {Example} example
 * @param {Json[]} models of `GET start`
 * @param {Workflows} comfy
 * @returns {Promise<string[]>} titles of nodes that still lack a file
 */
export async function openExample({ name, workflow, needs }, models, comfy) {
  await comfy.open(structuredClone(workflow), name);
  const families = usableModels(models, needs.folder);
  const family = families.find((model) => !needs.loras || model.loras > 0)?.family ?? "";
  for (const node of comfy.nodes()) {
    if (node.comfyClass === RECOMMENDER && families.length > 1) choose(node, "family", family);
    if (LARGE.has(family) && !needs.draft) enlarge(node);
  }
  if (withoutFile(comfy).length === 0) return [];
  await comfy.refresh(); // files may have been added since the page was opened
  return withoutFile(comfy).map(({ title }) => title);
}

/**
 * @param {ComfyNode} node
 * @param {string} name
 * @param {unknown} value
 */
function choose(node, name, value) {
  const widget = node.widgets?.find((candidate) => candidate.name === name);
  if (widget && choicesOf(widget)?.includes(value)) widget.value = value;
}

/** @param {ComfyNode} node */
function enlarge(node) {
  const sides = (node.widgets ?? []).filter(({ name }) => name === "width" || name === "height");
  if (sides.length === 2 && sides.every(({ value }) => value === SMALL_PX))
    for (const side of sides) side.value = LARGE_PX;
}

/**
 * Choose the first file where a node has none that is here, as a new node does.
 *
 * @param {Workflows} comfy
 * @returns {ComfyNode[]} nodes for which there is none to choose
 */
const withoutFile = (comfy) => comfy.nodes().filter((node) => !chooseFiles(node));

/**
 * @param {ComfyNode} node
 * @returns {boolean} false where a file is lacking
 */
function chooseFiles(node) {
  let complete = true;
  for (const widget of node.widgets ?? []) {
    const choices = choicesOf(widget);
    const slot = (node.inputs ?? []).findIndex((input) => input.widget?.name === widget.name);
    if (!choices || choices.includes(widget.value) || (slot >= 0 && node.getInputLink(slot))) continue;
    // A loader of models may list what is no file too, such as a VAE for pixels.
    const files = widget.name.endsWith("_name") ? choices.filter((name) => MODEL_FILE.test(String(name))) : choices;
    if (files.length > 0) widget.value = files[0];
    else complete = false;
  }
  return complete;
}

/**
 * @param {import("../types/comfyui").ComfyWidget} widget
 * @returns {unknown[] | null}
 */
function choicesOf(widget) {
  const { values } = /** @type {any} */ (widget.options ?? {});
  return Array.isArray(values) ? values : null;
}
