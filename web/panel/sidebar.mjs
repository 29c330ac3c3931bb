// @ts-check
/**
 * The panel as a tab of ComfyUI's sidebar: created when the tab opens, removed when it closes. Its scripts are loaded when
 * it opens first, so that ComfyUI's page need not wait for them.
 */

import { StatusLine } from "../components/status_line.mjs";
import { isModified } from "../lib/dom.mjs";
import { lastTab } from "./last_tab.mjs";

export const SIDEBAR_TAB = "context-checkpoint";

/**
 * @param {Omit<PanelOptions, "inComfyUI" | "lastTab"> & { onOpen: () => void }} options
 * @returns {import("../types/comfyui").SidebarTab}
 */
export function sidebarTab(options) {
  /** @type {import("./panel.mjs").Panel | null} */
  let panel = null;
  /** @type {HTMLElement | null} where the panel is or will be */
  let place = null;
  const close = () => {
    panel?.close();
    panel = place = null;
  };
  /** @param {HTMLElement} container */
  const open = async (container) => {
    const { Panel } = await import("./panel.mjs");
    if (place !== container) return; // it was closed meanwhile
    panel = new Panel({ ...options, inComfyUI: true, lastTab: lastTab(window.localStorage) });
    for (const event of /** @type {const} */ (["keydown", "keyup"])) {
      panel.element.addEventListener(event, keepPlainKeys);
    }
    container.append(panel.element);
  };
  return {
    id: SIDEBAR_TAB,
    icon: "pi pi-chart-line",
    title: options.t("panel"),
    tooltip: options.t("openPanel"),
    type: "custom",
    render(container) {
      // ComfyUI calls this again for the same container whenever it renders the sidebar.
      if (place === container && (panel === null || container.contains(panel.element))) return;
      close();
      place = container;
      options.onOpen();
      open(container).catch((error) => {
        if (place === container) place = null; // the next time it is tried again
        const status = new StatusLine();
        status.showError(options.t, "requestFailed", error);
        container.replaceChildren(status.element);
      });
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
