// @ts-check
/**
 * The plans on the recommender nodes: adds the views, shows a run's plans, restores them after a reload, and previews
 * the plan when a widget changes.
 *
 * Separate from the view, which knows no node, and from the registration, which only passes ComfyUI's events on.
 */

import { DisplayStorage } from "../comfy/display_storage.mjs";
import { foldAdvanced, toggleAdvanced, unfoldConnected } from "../comfy/frontend_api.mjs";
import { linkedNode, valuesOf } from "../comfy/graph_reading.mjs";
import { addWord, negativeText } from "../comfy/negative_text.mjs";
import { addDisplay, hook, nodeKey } from "../comfy/node_display.mjs";
import { button, element } from "../lib/dom.mjs";
import { nextSteps } from "./next_steps.mjs";
import { PlanView } from "./plan_view.mjs";
import { poolText } from "./pool_text.mjs";
import { explainBody, recommendBody } from "./request_bodies.mjs";

/** Key of the recommender's `ui` output. */
const OUTPUT_KEY = "context_checkpoint_plan";

/** Widgets that ComfyUI itself changes with every run: their change is no reason for a preview. */
const CHANGED_BY_QUEUEING = ["seed", "control_after_generate"];

export class RecommenderNodes {
  #t;
  #server;
  #stored;
  #addOthers;
  /** @type {WeakMap<ComfyNode, PlanView>} */
  #views = new WeakMap();

  /**
   * @param {object} options
   * @param {() => Translate} options.t
   * @param {Server} options.server
   * @param {Pick<Storage, "getItem" | "setItem">} options.storage
   * @param {(node: ComfyNode) => Promise<void>} options.addOthers adds the nodes that a recommender needs
   */
  constructor({ t, server, storage, addOthers }) {
    this.#t = t;
    this.#server = server;
    this.#addOthers = addOthers;
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
    foldAdvanced(node);
    const pool = poolLine(node, t);
    onChange(node, (name) => {
      pool.refresh();
      if (!CHANGED_BY_QUEUEING.includes(name) && valuesOf(node)) view.previewSoon();
    });
    const steps = nextSteps(node, t, () => this.#addOthers(node));
    view.element.prepend(steps.element);
    view.element.append(pool.element);
    fit = addDisplay(node, "context_checkpoint_plan", view.element);
    hook(node, "onRemoved", () => view.close());
    // It is called before an output has lost its link.
    hook(node, "onConnectionsChange", () => queueMicrotask(steps.refresh));
    hook(node, "onConfigure", () => {
      // Frontends from 1.53 on call a text's callback when a copy gets its values: nobody has typed them.
      view.close();
      unfoldConnected(node);
      pool.refresh();
      queueMicrotask(steps.refresh);
    });
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
 * Which checkpoints it chooses among, and a button that unfolds the inputs for it.
 *
 * @param {ComfyNode} node
 * @param {Translate} t
 */
function poolLine(node, t) {
  const text = element("span", { class: "cc-pool-rules" });
  const change = button(t("poolChange"), () => toggleAdvanced(node), { title: t("poolChangeHelp") });
  const refresh = () => {
    const widgets = (node.widgets ?? []).map(({ name, value }) => [name, linkedNode(node, name) ? "…" : value]);
    text.textContent = poolText(Object.fromEntries(widgets), t);
  };
  refresh();
  setTimeout(refresh); // who creates a node sets its values at once
  return { element: element("p", { class: "cc-pool cc-note" }, [text, change]), refresh };
}

/**
 * @param {ComfyNode} node
 * @param {(name: string) => void} listener called with the name of a widget that was changed
 */
function onChange(node, listener) {
  for (const widget of node.widgets ?? []) {
    const original = widget.callback;
    widget.callback = function (...args) {
      const result = original?.apply(this, args);
      listener(widget.name);
      return result;
    };
  }
}
