// @ts-check
/**
 * The plans on the recommender nodes: adds the views, shows a run's plans, restores them after a reload, and previews
 * the plan when a widget changes.
 *
 * Separate from the view, which knows no node, and from the registration, which only passes ComfyUI's events on.
 */

import { DisplayStorage } from "../comfy/display_storage.mjs";
import { valuesOf } from "../comfy/graph_reading.mjs";
import { addWord, negativeText } from "../comfy/negative_text.mjs";
import { addDisplay, hook, nodeKey } from "../comfy/node_display.mjs";
import { PlanView } from "./plan_view.mjs";
import { explainBody, recommendBody } from "./request_bodies.mjs";

/** Key of the recommender's `ui` output. */
const OUTPUT_KEY = "context_checkpoint_plan";

/** Widgets that ComfyUI itself changes with every run: their change is no reason for a preview. */
const CHANGED_BY_QUEUEING = ["seed", "control_after_generate"];

export class RecommenderNodes {
  #t;
  #server;
  #stored;
  /** @type {WeakMap<ComfyNode, PlanView>} */
  #views = new WeakMap();

  /**
   * @param {object} options
   * @param {() => Translate} options.t
   * @param {Server} options.server
   * @param {Pick<Storage, "getItem" | "setItem">} options.storage
   */
  constructor({ t, server, storage }) {
    this.#t = t;
    this.#server = server;
    this.#stored = new DisplayStorage(storage, "plans");
  }

  /** @param {ComfyNode} node */
  add(node) {
    const t = this.#t();
    const server = this.#server;
    let fit = () => {};
    const values = () => {
      const set = valuesOf(node);
      if (!set) throw new Error(t("promptConnected"));
      return set;
    };
    const view = new PlanView({
      t,
      onResize: () => fit(),
      preview: async () => server.recommend(recommendBody(values())),
      explain: async () => server.explain(explainBody(values())),
      suggest: async () => {
        const { prompt, negative } = values();
        const typed = negativeText(node)?.widget.value ?? negative ?? "";
        return (await server.suggestNegative({ prompt: String(prompt ?? ""), negative: String(typed) })).words;
      },
      addWord: async (word) => {
        const place = negativeText(node);
        if (!place) {
          await navigator.clipboard.writeText(word);
          return t("negativeCopied", { word });
        }
        addWord(place, word);
        return t("negativeAdded", { word, node: place.node.title ?? "" });
      },
    });
    previewOnChange(node, view);
    fit = addDisplay(node, "context_checkpoint_plan", view.element);
    hook(node, "onRemoved", () => view.close());
    // Frontends from 1.53 on call a text's callback when a copy gets its values: nobody has typed them.
    hook(node, "onConfigure", () => view.close());
    this.#views.set(node, view);
    hook(node, "onExecuted", (output) => {
      if (!output?.[OUTPUT_KEY]) return; // frontends before 1.49 give null for a node that had no output
      view.show(output[OUTPUT_KEY]);
      this.#stored.save(nodeKey(node), output[OUTPUT_KEY]);
    });
  }

  /**
   * Show what the node showed before the page was reloaded.
   *
   * @param {ComfyNode} node
   */
  restore(node) {
    this.#views.get(node)?.show(this.#stored.load(nodeKey(node)));
  }

  /**
   * Show an output that ComfyUI has set without executing the node.
   *
   * @param {ComfyNode} node
   * @param {Record<string, any> | null | undefined} output
   */
  showOutput(node, output) {
    if (output?.[OUTPUT_KEY]) this.#views.get(node)?.show(output[OUTPUT_KEY]);
  }
}

/**
 * @param {ComfyNode} node
 * @param {PlanView} view
 */
function previewOnChange(node, view) {
  for (const widget of node.widgets ?? []) {
    if (CHANGED_BY_QUEUEING.includes(widget.name)) continue;
    const original = widget.callback;
    widget.callback = function (...args) {
      const result = original?.apply(this, args);
      if (valuesOf(node)) view.previewSoon();
      return result;
    };
  }
}
