// @ts-check
/** Takes back for good what a person wants forgotten; asks before, and tells what came of it. */

import { button, element } from "../elements.mjs";
import { amount } from "./cells.mjs";

/**
 * @param {import("./panel.mjs").PanelParts} parts
 * @param {"Round" | "Prompts" | "Everything"} kind
 * @param {object} what see `Server.forget`
 * @param {() => void} forgotten
 */
export function forgetting({ say, server, confirm }, kind, what, forgotten) {
  const status = element("span", { class: "cc-status", role: "status" });
  const told = (/** @type {string} */ state, /** @type {string} */ text) => {
    status.dataset.state = state;
    status.textContent = text;
  };
  const forget = async () => {
    if (!(await confirm(say(`forget${kind}`), say(`sure${kind}`)))) return;
    told("", say("forgettingNow"));
    try {
      const { generations, traces } = await server.forget(what);
      const count = amount(generations);
      if (traces.length > 0) told("failed", say("forgottenTraces", { count, files: traces.join(", ") }));
      else told("saved", say("forgotten", { count }));
      forgotten();
    } catch (error) {
      told("failed", say("notForgotten", { reason: error instanceof Error ? error.message : String(error) }));
    }
  };
  return element("span", { class: "cc-forget" }, [button(say(`forget${kind}`), () => void forget()), status]);
}
