// @ts-check
/**
 * What a recommender says of itself as long as nothing takes what it recommends: what it does, what comes next, and a button
 * that adds the other nodes. It goes away with the first link.
 */

import { button, element } from "../lib/dom.mjs";

/** The outputs that a graph needs one of. */
const TAKEN = ["plan", "ckpt_name"];

/**
 * @param {ComfyNode} node
 * @param {Translate} t
 * @param {() => Promise<void>} addOthers
 * @returns {{ element: HTMLElement, refresh: () => void }} `refresh` after a link has changed
 */
export function nextSteps(node, t, addOthers) {
  const status = element("p", { class: "cc-status", role: "status" });
  const add = async () => {
    try {
      await addOthers();
    } catch (error) {
      status.textContent = t("notWired", { reason: error });
    }
  };
  const shown = element("div", { class: "cc-next-steps" }, [
    element("p", { text: t("guideWhat") }),
    element("p", { text: t("guideNext") }),
    button(t("guideAdd"), () => void add()),
    status,
  ]);
  const refresh = () => {
    shown.hidden = isWired(node);
  };
  refresh();
  return { element: shown, refresh };
}

/** @param {ComfyNode} node */
function isWired(node) {
  const outputs = [...(node.outputs ?? []).entries()];
  return outputs.some(([slot, { name }]) => TAKEN.includes(name) && node.isOutputConnected(slot));
}
