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
 *   waiting: import("./waiting_runs.mjs").WaitingRuns,
 *   storage: Pick<Storage, "getItem" | "setItem">,
 *   rootGraph: () => ComfyGraph,
 * }} RecorderNodesOptions
 */

export class RecorderNodes {
  #options;
  #stored;
  /** @type {WeakMap<ComfyNode, GalleryList>} */
  #lists = new WeakMap();
  /** @type {WaitingPick[]} */
  #picks = [];

  /** @param {RecorderNodesOptions} options */
  constructor(options) {
    this.#options = options;
    this.#stored = new DisplayStorage(options.storage, "generations");
  }

  /** @param {ComfyNode} node */
  add(node) {
    const { t, server, waiting, imageUrl, isBlind, onVerdictLost } = this.#options;
    let fit = () => {};
    const list = new GalleryList({
      t: t(),
      save: (body) => server.sendFeedback(body),
      imageUrl,
      answer: (pickId, body) => waiting.answer(pickId, body),
      isBlind,
      onVerdictLost,
      onResize: () => fit(),
    });
    fit = addDisplay(node, "context_checkpoint_images", list.element, (room) => list.fill(room));
    this.#lists.set(node, list);
    hook(node, "onExecuted", (output) => {
      if (!output?.[OUTPUT_KEY]) return; // frontends before 1.49 give null for a node that had no output
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
   * Show at every recorder of the open workflow whether it waits.
   *
   * @param {WaitingPick[]} picks
   * @returns {WaitingPick[]} those that no recorder shows
   */
  showWaiting(picks) {
    this.#picks = picks;
    const root = this.#options.rootGraph();
    /** @param {WaitingPick} pick */
    const nodeOf = ({ workflow_id, node_id }) => (workflow_id === root.id ? nodeById(root, node_id) : null);
    for (const node of allNodes(root)) {
      const list = this.#lists.get(node);
      if (!list) continue;
      const pick = picks.find((waiting) => nodeOf(waiting) === node);
      if (!pick) list.stopWaiting();
      else if (list.pickId !== pick.id) void this.#wait(list, node, pick);
    }
    return picks.filter((pick) => {
      const node = nodeOf(pick);
      return !node || !this.#lists.has(node);
    });
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
   * @param {WaitingPick} pick
   */
  async #wait(list, node, pick) {
    const generations = await this.#options.waiting.generations(pick);
    if (!this.#picks.includes(pick)) return; // a newer list of them has come
    list.wait(pick, generations);
    this.#stored.save(nodeKey(node), list.generationIds);
  }
}
