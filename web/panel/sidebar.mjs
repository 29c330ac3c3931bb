// @ts-check
/** The panel as a tab of ComfyUI's sidebar: created when the tab opens, removed when it closes. */

import { isModified } from "../lib/dom.mjs";
import { lastTab } from "./last_tab.mjs";
import { Panel } from "./panel.mjs";

export const SIDEBAR_TAB = "context-checkpoint";

/**
 * @param {Omit<PanelOptions, "inComfyUI" | "lastTab">} options
 * @returns {import("../types/comfyui").SidebarTab}
 */
export function sidebarTab(options) {
  /** @type {Panel | null} */
  let panel = null;
  const close = () => {
    panel?.close();
    panel = null;
  };
  return {
    id: SIDEBAR_TAB,
    icon: "pi pi-chart-line",
    title: options.t("panel"),
    tooltip: options.t("openPanel"),
    type: "custom",
    render(container) {
      // ComfyUI calls this again for the same container whenever it renders the sidebar.
      if (panel && container.contains(panel.element)) return;
      close();
      panel = new Panel({ ...options, inComfyUI: true, lastTab: lastTab(window.localStorage) });
      for (const event of /** @type {const} */ (["keydown", "keyup"])) {
        panel.element.addEventListener(event, keepPlainKeys);
      }
      container.append(panel.element);
    },
    destroy: close,
  };
}

/**
 * ComfyUI listens on the whole window, where Delete removes the selected nodes and letters are commands. Keys with a
 * modifier are passed on, so that Ctrl+Enter still queues.
 *
 * @param {KeyboardEvent} pressed
 */
function keepPlainKeys(pressed) {
  if (!isModified(pressed)) pressed.stopPropagation();
}
