// @ts-check
/**
 * The galleries on the recorder nodes: adds them, shows a run's generations, restores them after a reload, and shows
 * which recorder waits for a pick.
 *
 * Separate from the gallery, which knows no node, and from the registration, which only passes ComfyUI's events on.
 */

import { DisplayStorage } from "../comfy/display_storage.mjs";
import { addDisplay, allNodes, hook, nodeById, nodeKey } from "../comfy/node_display.mjs";
import { GalleryList } from "./gallery_list.mjs";
import { generationFrom } from "./verdicts.mjs";

/** Key of the recorder's `ui` output. */
const OUTPUT_KEY = "context_checkpoint";

/**
 * @typedef {Pick<GalleryOptions, "imageUrl" | "isBlind" | "onVerdictLost"> & {
 *   t: () => Translate,
 *   server: Server,
 *   storage: Pick<Storage, "getItem" | "setItem">,
 *   rootGraph: () => ComfyGraph,
 * }} RecorderNodesOptions
 */

export class RecorderNodes {
  #options;
  #stored;
  /** @type {WeakMap<ComfyNode, GalleryList>} */
  #lists = new WeakMap();

  /** @param {RecorderNodesOptions} options */
  constructor(options) {
    this.#options = options;
    this.#stored = new DisplayStorage(options.storage, "generations");
  }

  /** @param {ComfyNode} node */
  add(node) {
    const { t, server, imageUrl, isBlind, onVerdictLost } = this.#options;
    let fit = () => {};
    const list = new GalleryList({
      t: t(),
      save: (body) => server.sendFeedback(body),
      imageUrl,
      answer: (pickId, body) => this.#answer(pickId, body),
      isBlind,
      onVerdictLost,
      onResize: () => fit(),
    });
    fit = addDisplay(node, "context_checkpoint_images", list.element);
    this.#lists.set(node, list);
    hook(node, "onExecuted", (output) => {
      if (!output[OUTPUT_KEY]) return;
      list.show(output[OUTPUT_KEY].map(generationFrom));
      this.#stored.save(nodeKey(node), list.generationIds);
    });
  }

  /**
   * Show what the node showed before the page was reloaded.
   *
   * @param {ComfyNode} node
   */
  restore(node) {
    const list = this.#lists.get(node);
    if (list) void this.#load(list, this.#stored.load(nodeKey(node)));
  }

  /**
   * Show an output that ComfyUI has set without executing the node.
   *
   * @param {ComfyNode} node
   * @param {Record<string, any> | null | undefined} output
   */
  showOutput(node, output) {
    const list = this.#lists.get(node);
    const records = output?.[OUTPUT_KEY];
    if (!list || !records) return;
    const ids = records.map((/** @type {Json} */ record) => generationFrom(record).generationId);
    void this.#load(list, ids);
  }

  /**
   * Show at every recorder whether its workflow waits. Called whenever that may have changed, since ComfyUI does not send
   * events again that a page has missed.
   */
  async updatePending() {
    const root = this.#options.rootGraph();
    /** @type {(WaitingPick & Json)[]} */
    let pending;
    try {
      ({ pending } = await this.#options.server.pending());
    } catch {
      return; // the connection is lost: after `reconnected` this is called again
    }
    for (const node of allNodes(root)) {
      const list = this.#lists.get(node);
      if (!list) continue;
      const pick = pending.find(
        ({ workflow_id, node_id }) => workflow_id === root.id && nodeById(root, node_id) === node,
      );
      if (!pick) list.stopWaiting();
      else if (list.pickId !== pick.id) await this.#wait(list, node, pick);
    }
  }

  /**
   * Show generations with their present verdicts: those in a replayed output may be out of date.
   *
   * @param {GalleryList} list
   * @param {string[]} generationIds
   */
  async #load(list, generationIds) {
    const shown = String(list.generationIds);
    if (generationIds.length === 0 || String(generationIds) === shown) return;
    // A run that has ended in the meantime is newer.
    const overtaken = () => String(list.generationIds) !== shown;
    try {
      const records = await Promise.all(generationIds.map((id) => this.#options.server.generation(id)));
      if (!overtaken()) list.show(records.map(generationFrom));
    } catch (error) {
      if (!overtaken()) list.showNotRestored(error);
    }
  }

  /**
   * @param {GalleryList} list
   * @param {ComfyNode} node
   * @param {WaitingPick & Json} pick
   */
  async #wait(list, node, pick) {
    const { server } = this.#options;
    const generations = await Promise.all(
      pick.rounds.map(async (/** @type {Json} */ pending) => {
        // The server also has the verdicts that were given before a reload.
        const id = pending.generation_id;
        return generationFrom(id ? await server.generation(id).catch(() => pending) : pending);
      }),
    );
    list.wait(pick, generations);
    this.#stored.save(nodeKey(node), list.generationIds);
  }

  /**
   * @param {string} pickId
   * @param {object} body
   */
  async #answer(pickId, body) {
    try {
      await this.#options.server.answerPick(pickId, body);
    } finally {
      void this.updatePending();
    }
  }
}
