// @ts-check
/** Takes back for good what a person wants forgotten; asks before, and tells what came of it. */

import { button, element } from "../lib/dom.mjs";
import { StatusLine } from "../lib/status_line.mjs";
import { amount } from "./cells.mjs";

/**
 * @param {PanelParts} parts
 * @param {"Round" | "Prompts" | "Everything"} kind
 * @param {object} what see `Server.forget`
 * @param {() => void} forgotten
 */
export function forgetting({ say, server, confirm }, kind, what, forgotten) {
  const status = new StatusLine("span");
  const forget = async () => {
    if (!(await confirm(say(`forget${kind}`), say(`sure${kind}`)))) return;
    status.tell(say("forgettingNow"));
    try {
      const { generations, traces } = await server.forget(what);
      const count = amount(generations);
      if (traces.length > 0) status.tell(say("forgottenTraces", { count, files: traces.join(", ") }), "failed");
      else status.tell(say("forgotten", { count }), "saved");
      forgotten();
    } catch (error) {
      status.failed(say, "notForgotten", error);
    }
  };
  return element("span", { class: "cc-forget" }, [button(say(`forget${kind}`), () => void forget()), status.element]);
}
