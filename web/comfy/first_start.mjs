// @ts-check
/**
 * Says once to each person where the panel is: one toast, and a mark on its icon until it is opened. Whether that was done
 * is a setting of ComfyUI, so that it holds in every browser of the person.
 */

/** @type {SettingDefinition} not in the dialog */
export const STARTED = {
  id: "ContextCheckpoint.Started",
  name: "ContextCheckpoint.Started",
  type: "hidden",
  defaultValue: false,
};

/** The mark on the panel's icon. */
const NEW = "!";

export class FirstStart {
  #app;
  #tab;
  #isNew = false;

  /**
   * @param {import("../types/comfyui").ComfyApp} app
   * @param {string} tab id of the panel in the sidebar
   */
  constructor(app, tab) {
    this.#app = app;
    this.#tab = tab;
  }

  /**
   * @param {Server} server
   * @param {Translate} t
   * @param {Toast} toast
   */
  async announce(server, t, toast) {
    const { setting } = this.#app.extensionManager;
    if (setting.get(STARTED.id) === true) return;
    try {
      const { overview } = await server.statistics({ parts: ["overview"] });
      await setting.set(STARTED.id, true);
      if (overview.judged > 0) return; // somebody who has used it before
    } catch {
      return; // the panel says what is wrong; the next time it is tried again
    }
    this.#isNew = true;
    this.badge(0);
    toast("info", t("firstStart"), t("firstStartDetail"));
  }

  /** Once the panel was opened, nothing needs to be said. */
  seen() {
    if (!this.#isNew) return;
    this.#isNew = false;
    this.badge(0);
  }

  /** @param {number} waiting runs that wait for a pick */
  badge(waiting) {
    // ComfyUI's own list, and not the tab that was registered: only a change of that one is drawn.
    const tab = this.#app.extensionManager.getSidebarTabs?.().find(({ id }) => id === this.#tab);
    if (tab) tab.iconBadge = waiting > 0 ? String(waiting) : this.#isNew ? NEW : null;
  }
}
