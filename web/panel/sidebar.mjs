// @ts-check
/** The panel as a tab of ComfyUI's sidebar: made when the tab opens, let go when it closes. */

import { isModified } from "../lib/dom.mjs";
import { lastTab } from "../lib/last_tab.mjs";
import { Panel } from "./panel.mjs";

export const SIDEBAR_TAB = "context-checkpoint";

/**
 * @param {Omit<PanelParts, "inComfyUI" | "lastTab">} parts
 * @returns {import("../types/comfyui").SidebarTab}
 */
export function sidebarTab(parts) {
  /** @type {Panel | null} */
  let panel = null;
  const close = () => {
    panel?.close();
    panel = null;
  };
  return {
    id: SIDEBAR_TAB,
    icon: "pi pi-chart-line",
    title: parts.say("panel"),
    tooltip: parts.say("openPanel"),
    type: "custom",
    render(container) {
      // ComfyUI calls this again for the same container whenever it draws the sidebar anew.
      if (panel && container.contains(panel.element)) return;
      close();
      panel = new Panel({ ...parts, inComfyUI: true, lastTab: lastTab(window.localStorage) });
      for (const event of /** @type {const} */ (["keydown", "keyup"])) {
        panel.element.addEventListener(event, keepPlainKeys);
      }
      container.append(panel.element);
    },
    destroy: close,
  };
}

/**
 * ComfyUI listens on the whole window, where Delete means the selected nodes and a letter a command; keys with a
 * modifier go on, so that Ctrl+Enter still queues.
 *
 * @param {KeyboardEvent} pressed
 */
function keepPlainKeys(pressed) {
  if (!isModified(pressed)) pressed.stopPropagation();
}
