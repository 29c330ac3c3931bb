// @ts-check
/**
 * The panel that shows what was learned, in ComfyUI's sidebar and on the page of `context-checkpoint serve`.
 *
 * It knows neither of them. Whatever only ComfyUI can do (show an image, update its settings dialog) is passed in, and the
 * panel works without it.
 */

import { Tabs } from "../components/tabs.mjs";
import { button, element } from "../lib/dom.mjs";
import { CheckpointsTab } from "./checkpoints_tab.mjs";
import { HistoryTab } from "./history_tab.mjs";
import { LorasTab } from "./loras_tab.mjs";
import { OverviewTab } from "./overview_tab.mjs";
import { PreferencesTab } from "./preferences_tab.mjs";
import { SettingsTab } from "./settings_tab.mjs";
import { TryTab } from "./try_tab.mjs";
import { WaitingList } from "./waiting_list.mjs";

const TABS = /** @type {const} */ ([
  ["overview", OverviewTab],
  ["preferences", PreferencesTab],
  ["history", HistoryTab],
  ["checkpoints", CheckpointsTab],
  ["loras", LorasTab],
  ["try", TryTab],
  ["settings", SettingsTab],
]);

export class Panel {
  #tabs;
  #waiting;
  #options;

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t, lastTab } = options;
    this.#options = options;
    const tabs = TABS.map(([name, View]) => ({
      name,
      title: t(`tab_${name}`),
      create: () => new View(options),
    }));
    this.#tabs = new Tabs(t("panel"), tabs, lastTab.load(), lastTab.save);
    this.#waiting = new WaitingList(options);
    this.element = element("section", { class: "cc-panel", "aria-label": t("panel") }, [
      button("⟳", () => this.#refresh(), {
        class: "cc-refresh",
        "aria-label": t("refresh"),
        title: t("refresh"),
      }),
      this.#waiting.element,
      this.#tabs.element,
    ]);
    this.#refresh();
  }

  #refresh() {
    this.#tabs.refresh();
    void this.#options.waiting.update();
  }

  /** Remove the panel and cancel its requests. */
  close() {
    this.#tabs.hide();
    this.#waiting.close();
    this.element.remove();
  }
}
