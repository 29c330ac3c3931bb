// @ts-check
/** The entries in a node's context menu that wire the pack's nodes to it, and the toasts that show the result. */

import { isLoader, makesImages, recommendFor, recordFor } from "./wiring.mjs";

export class WiringMenu {
  #t;
  #toast;
  #createNode;

  /**
   * @param {object} options
   * @param {() => Translate} options.t
   * @param {Toast} options.toast
   * @param {import("./wiring.mjs").CreateNode} options.createNode
   */
  constructor({ t, toast, createNode }) {
    this.#t = t;
    this.#toast = toast;
    this.#createNode = createNode;
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
    this.#wire(() => {
      const { withPrompt } = recommendFor(loader, this.#createNode);
      const detail = t(withPrompt ? "recommendedWithPrompt" : "recommendedNoPrompt");
      this.#toast(withPrompt ? "success" : "warn", t("recommendedForLoader"), detail);
    });
  }

  /** @param {ComfyNode} node */
  #record(node) {
    const t = this.#t();
    this.#wire(() => {
      const { complete } = recordFor(node, this.#createNode);
      const detail = complete ? undefined : t("recordedNeedsPlan");
      this.#toast(complete ? "success" : "warn", t("recordedOutput"), detail);
    });
  }

  /** @param {() => void} change */
  #wire(change) {
    try {
      change();
    } catch (error) {
      this.#toast("error", this.#t()("notWired", { reason: error }));
    }
  }
}
