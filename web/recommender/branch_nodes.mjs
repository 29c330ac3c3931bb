// @ts-check
/** What the settings nodes and the LoRA nodes show: each branch of the last run with what the node says of it. */

import { DisplayStorage } from "../comfy/display_storage.mjs";
import { addDisplay, hook, nodeKey } from "../comfy/node_display.mjs";
import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { settingsElement } from "./branch_settings.mjs";
import { negativeWordsView } from "./negative_words_view.mjs";

/**
 * One kind of node: the key of its `ui` output, where it is remembered, and its texts.
 *
 * @typedef {object} Kind
 * @property {string} outputKey
 * @property {string} store
 * @property {string} empty
 * @property {(branches: Json[], t: Translate) => HTMLElement | Promise<HTMLElement>} view
 */

/** @type {Kind} */
export const SETTINGS = {
  outputKey: "context_checkpoint_settings",
  store: "settings",
  empty: "noSettingsYet",
  view: settingsView,
};

/** @type {Kind} */
export const LORAS = {
  outputKey: "context_checkpoint_loras",
  store: "loras",
  empty: "noLorasYet",
  // Loaded with the first LoRAs: ComfyUI's page should load little at its start.
  view: async (branches, t) => (await import("./loras_view.mjs")).lorasView(branches, t),
};

export class BranchNodes {
  #kind;
  #t;
  #stored;
  /** @type {WeakMap<ComfyNode, (records: Json[]) => Promise<void>>} */
  #views = new WeakMap();

  /**
   * @param {Kind} kind
   * @param {object} options
   * @param {() => Translate} options.t
   * @param {Pick<Storage, "getItem" | "setItem">} options.storage
   */
  constructor(kind, { t, storage }) {
    this.#kind = kind;
    this.#t = t;
    this.#stored = new DisplayStorage(storage, kind.store);
  }

  /** @param {ComfyNode} node */
  add(node) {
    const view = element("div", { class: "cc-plan" });
    const { outputKey } = this.#kind;
    const fit = addDisplay(node, outputKey, view);
    let newest = 0;
    const show = async (/** @type {Json[]} */ records) => {
      newest += 1;
      const own = newest;
      const content = await sections(records, this.#kind, this.#t());
      if (own !== newest) return; // something newer is shown
      view.replaceChildren(...content);
      fit();
    };
    this.#views.set(node, show);
    void show([]);
    hook(node, "onExecuted", (output) => {
      if (!output?.[outputKey]) return;
      void show(output[outputKey]);
      this.#stored.save(nodeKey(node), output[outputKey]);
    });
  }

  /**
   * Show what the node showed before the page was reloaded.
   *
   * @param {ComfyNode} node
   */
  restore(node) {
    void this.#views.get(node)?.(this.#stored.load(nodeKey(node)));
  }

  /**
   * Show an output that ComfyUI has set without executing the node.
   *
   * @param {ComfyNode} node
   * @param {Record<string, any> | null | undefined} output
   */
  showOutput(node, output) {
    const records = output?.[this.#kind.outputKey];
    if (records) void this.#views.get(node)?.(records);
  }
}

/**
 * @param {Json[]} records of the last run, one for each plan of the node
 * @param {Kind} kind
 * @param {Translate} t
 */
async function sections(records, kind, t) {
  if (records.length === 0) return [element("p", { class: "cc-note", text: t(kind.empty) })];
  const parts = records.map(async ({ branches, negative_words: words = [] }) => {
    const view = await kind.view(branches, t);
    return words.length > 0 ? [view, negativeWordsView(words, t)] : [view];
  });
  return (await Promise.all(parts)).flat();
}

/**
 * @param {Json[]} branches
 * @param {Translate} t
 */
function settingsView(branches, t) {
  const short = shortNames(branches.map(({ checkpoint }) => checkpoint));
  const rows = branches.map((branch) =>
    element("li", {}, [nameElement(branch.checkpoint, short), settingsElement(branch, t, t("settingsNone"))]),
  );
  return element("ol", { class: "cc-checkpoints", "aria-label": t("settingsOfPlan") }, rows);
}
