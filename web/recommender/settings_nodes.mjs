// @ts-check
/** What the settings nodes show: each checkpoint of the last run with its settings and their sources. */

import { DisplayStorage } from "../comfy/display_storage.mjs";
import { addDisplay, hook, nodeKey } from "../comfy/node_display.mjs";
import { nameElement, shortNames } from "../lib/checkpoint_name.mjs";
import { element } from "../lib/dom.mjs";
import { settingsElement } from "./branch_settings.mjs";
import { negativeWordsView } from "./negative_words_view.mjs";

/** Key of the settings node's `ui` output. */
const OUTPUT_KEY = "context_checkpoint_settings";

export class SettingsNodes {
  #t;
  #stored;
  /** @type {WeakMap<ComfyNode, (records: Json[]) => void>} */
  #views = new WeakMap();

  /**
   * @param {object} options
   * @param {() => Translate} options.t
   * @param {Pick<Storage, "getItem" | "setItem">} options.storage
   */
  constructor({ t, storage }) {
    this.#t = t;
    this.#stored = new DisplayStorage(storage, "settings");
  }

  /** @param {ComfyNode} node */
  add(node) {
    const view = element("div", { class: "cc-plan" });
    const fit = addDisplay(node, OUTPUT_KEY, view);
    const show = (/** @type {Json[]} */ records) => {
      view.replaceChildren(...settingsSections(records, this.#t()));
      fit();
    };
    this.#views.set(node, show);
    show([]);
    hook(node, "onExecuted", (output) => {
      if (!output[OUTPUT_KEY]) return;
      show(output[OUTPUT_KEY]);
      this.#stored.save(nodeKey(node), output[OUTPUT_KEY]);
    });
  }

  /**
   * Show what the node showed before the page was reloaded.
   *
   * @param {ComfyNode} node
   */
  restore(node) {
    this.#views.get(node)?.(this.#stored.load(nodeKey(node)));
  }

  /**
   * Show an output that ComfyUI has set without executing the node.
   *
   * @param {ComfyNode} node
   * @param {Record<string, any> | null | undefined} output
   */
  showOutput(node, output) {
    if (output?.[OUTPUT_KEY]) this.#views.get(node)?.(output[OUTPUT_KEY]);
  }
}

/**
 * @param {Json[]} records of the last run, one for each plan of the node
 * @param {Translate} t
 */
function settingsSections(records, t) {
  if (records.length === 0) return [element("p", { class: "cc-note", text: t("noSettingsYet") })];
  return records.flatMap(({ branches, negative_words: words = [] }) => {
    const short = shortNames(branches.map((/** @type {Json} */ { checkpoint }) => checkpoint));
    const rows = branches.map((/** @type {Json} */ branch) =>
      element("li", {}, [nameElement(branch.checkpoint, short), settingsElement(branch, t, t("settingsNone"))]),
    );
    const list = element("ol", { class: "cc-checkpoints", "aria-label": t("settingsOfPlan") }, rows);
    return words.length > 0 ? [list, negativeWordsView(words, t)] : [list];
  });
}
