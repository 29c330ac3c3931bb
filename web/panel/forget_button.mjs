// @ts-check
/** A button that deletes for good what a person wants forgotten: it asks first and shows the result. */

import { formatNumber } from "../components/columns.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { button, element } from "../lib/dom.mjs";

/**
 * @param {PanelOptions} options
 * @param {"Generation" | "Prompts" | "Everything"} kind
 * @param {object} selection see `Server.forget`
 * @param {() => void} onForgotten
 */
export function forgetButton({ t, server, confirm }, kind, selection, onForgotten) {
  const status = new StatusLine("span");
  const forget = async () => {
    if (!(await confirm(t(`forget${kind}`), t(`confirmForget${kind}`)))) return;
    status.show(t("forgettingNow"));
    try {
      const { generations, traces } = await server.forget(selection);
      const count = formatNumber(generations);
      if (traces.length > 0) status.show(t("forgottenTraces", { count, files: traces.join(", ") }), "failed");
      else status.show(t("forgotten", { count }), "saved");
      onForgotten();
    } catch (error) {
      status.showError(t, "notForgotten", error);
    }
  };
  return element("span", { class: "cc-forget" }, [button(t(`forget${kind}`), () => void forget()), status.element]);
}
