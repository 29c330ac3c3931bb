// @ts-check
/**
 * Runs the open workflow once with a prompt and one checkpoint. The prompt is typed into the workflow; the checkpoint is
 * for this run alone, so that nothing has to be taken back. Loaded when it is first used.
 */

import { changeGraph } from "./graph_change.mjs";
import { textAt } from "./negative_text.mjs";
import { allNodes } from "./node_display.mjs";

const RECOMMENDER = "ContextCheckpointRecommender";
const SAMPLER = "MultiCheckpointSampler";

/** An error with the parts of its message, so that it is translated as the server's errors are. */
class NotRun extends Error {
  /**
   * @param {string} text
   * @param {string} key
   */
  constructor(text, key) {
    super(text);
    this.parts = [{ text, key }];
  }
}

const NONE =
  "The open workflow has no Context Checkpoint Recommender that is on. Open an example (Templates, Context Checkpoint), " +
  "or right-click a loader and choose Recommend a checkpoint for this loader.";
const COMPUTED = "Another node computes the recommender's prompt. Type the prompt there.";

/**
 * @param {object} page
 * @param {import("../types/comfyui").ComfyApp} page.app
 * @param {import("../types/comfyui").ComfyApi} page.api
 * @param {string} prompt
 * @param {string} checkpoint
 */
export async function runWith({ app, api }, prompt, checkpoint) {
  const places = recommenders(app.rootGraph).map((node) => textAt(node, "prompt"));
  if (places.length === 0) throw new NotRun(NONE, "run_no_recommender");
  for (const place of places) {
    if (!place) throw new NotRun(COMPUTED, "run_prompt_computed");
    changeGraph(place.node, () => {
      place.widget.value = prompt;
    });
  }
  const run = await app.graphToPrompt();
  for (const node of Object.values(run.output)) useOnly(/** @type {any} */ (node), checkpoint);
  await api.queuePrompt(0, run);
}

/**
 * Those that run. A muted or bypassed node's text is nobody's prompt.
 *
 * @param {ComfyGraph} root
 */
function recommenders(root) {
  return allNodes(root).filter(({ comfyClass, mode }) => comfyClass === RECOMMENDER && (mode ?? 0) === 0);
}

/**
 * @param {{ class_type: string, inputs: Record<string, unknown> }} node in API form, which is changed
 * @param {string} checkpoint
 */
function useOnly({ class_type, inputs }, checkpoint) {
  if (class_type === RECOMMENDER) {
    const include = checkpoint.replace(/[,*\n]/g, "?");
    // A name without a folder is found in every folder.
    const exclude = /[\\/]/.test(include) ? "" : `*/${include}`;
    Object.assign(inputs, { include, exclude, family: "all", fallback: "none", explore: false });
  }
  // What is typed in the sampler would be drawn instead of the recommender's prompt.
  if (class_type === SAMPLER && typeof inputs.positive === "string") inputs.positive = "";
}
