// @ts-check
/**
 * What was learned, to look at: the same panel in ComfyUI's sidebar and on the page of `context-checkpoint serve`.
 *
 * It knows neither of them. Whatever only ComfyUI can do (show an image, keep its settings dialog in step) is
 * handed in, and where it is missing the panel does without.
 */

import { button, element } from "../lib/dom.mjs";
import { CheckpointsTab } from "./checkpoints_tab.mjs";
import { HistoryTab } from "./history_tab.mjs";
import { OverviewTab } from "./overview_tab.mjs";
import { PreferencesTab } from "./preferences_tab.mjs";
import { SettingsTab } from "./settings_tab.mjs";
import { Tabs } from "./tabs.mjs";
import { TryTab } from "./try_tab.mjs";

const TABS = /** @type {const} */ ([
  ["overview", OverviewTab],
  ["preferences", PreferencesTab],
  ["history", HistoryTab],
  ["checkpoints", CheckpointsTab],
  ["try", TryTab],
  ["settings", SettingsTab],
]);

export class Panel {
  #tabs;

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say, lastTab } = parts;
    const tabs = TABS.map(([name, Kind]) => ({
      name,
      title: say(`tab_${name}`),
      make: () => new Kind(parts),
    }));
    this.#tabs = new Tabs(say("panel"), tabs, lastTab.recall(), lastTab.keep);
    this.element = element("section", { class: "cc-panel", "aria-label": say("panel") }, [
      button("⟳", () => this.#tabs.refresh(), {
        class: "cc-refresh",
        "aria-label": say("refresh"),
        title: say("refresh"),
      }),
      this.#tabs.element,
    ]);
    this.#tabs.refresh();
  }

  /** Nobody looks any more: what is under way is dropped. */
  close() {
    this.#tabs.hide();
    this.element.remove();
  }
}
