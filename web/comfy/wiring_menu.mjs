// @ts-check
/** The entries in a node's context menu that wire the pack's nodes to it, and the toasts that show the result. */

import { isLoader, makesImages } from "./wirable.mjs";

export class WiringMenu {
  #t;
  #toast;
  #createNode;
  #rootGraph;
  #read;

  /**
   * @param {object} options
   * @param {() => Translate} options.t
   * @param {Toast} options.toast
   * @param {import("./wiring.mjs").CreateNode} options.createNode
   * @param {() => ComfyGraph} options.rootGraph
   * @param {(loader: string) => Promise<GraphReading>} options.read what a loader's image is made from
   */
  constructor({ t, toast, createNode, rootGraph, read }) {
    this.#t = t;
    this.#toast = toast;
    this.#createNode = createNode;
    this.#rootGraph = rootGraph;
    this.#read = read;
  }

  /** @param {ComfyNode} node */
  itemsFor(node) {
    const t = this.#t();
    const items = [];
    if (isLoader(node)) items.push({ content: t("recommendForLoader"), callback: () => this.#recommend(node) });
    if (makesImages(node)) items.push({ content: t("recordOutput"), callback: () => this.#record(node) });
    return items;
  }

  /** @param {ComfyNode} loader */
  #recommend(loader) {
    const t = this.#t();
    return this.#wire(async () => {
      const { recommendFor } = await import("./wiring.mjs");
      const page = { root: this.#rootGraph(), createNode: this.#createNode, read: this.#read };
      const { withPrompt, reason } = await recommendFor(loader, page);
      const detail = withPrompt ? t("recommendedWithPrompt") : t("recommendedNoPrompt", { reason });
      this.#toast(withPrompt ? "success" : "warn", t("recommendedForLoader"), detail);
    });
  }

  /** @param {ComfyNode} node */
  #record(node) {
    const t = this.#t();
    return this.#wire(async () => {
      const { recordFor } = await import("./wiring.mjs");
      const { complete } = recordFor(node, this.#createNode);
      const detail = complete ? undefined : t("recordedNeedsPlan");
      this.#toast(complete ? "success" : "warn", t("recordedOutput"), detail);
    });
  }

  /** @param {() => void | Promise<void>} change */
  async #wire(change) {
    try {
      await change();
    } catch (error) {
      this.#toast("error", this.#t()("notWired", { reason: error }));
    }
  }
}
