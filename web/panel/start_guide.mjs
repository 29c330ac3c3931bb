// @ts-check
/**
 * Where the guide stands in the panel: open as long as nothing has been judged, then behind a button. Separate from the
 * guide, whose scripts are loaded only when it is shown.
 */

import { StatusLine } from "../components/status_line.mjs";
import { button, element } from "../lib/dom.mjs";

export class StartGuide {
  #options;
  #workflows;
  #button;
  #status = new StatusLine();
  /** @type {import("./start.mjs").Start | null} */
  #start = null;
  /** Whether the person has asked for it. */
  #wanted = false;

  /**
   * @param {PanelOptions} options
   * @param {NonNullable<PanelOptions["workflows"]>} workflows
   */
  constructor(options, workflows) {
    this.#options = options;
    this.#workflows = workflows;
    this.#button = button(options.t("showStart"), () => this.#want(), { "aria-expanded": "false" });
    this.#button.hidden = true;
    this.element = element("div", { class: "cc-start-guide" }, [this.#button, this.#status.element]);
  }

  /** @param {boolean} needed whether nothing has been judged yet */
  async show(needed) {
    this.#button.hidden = needed;
    this.#button.setAttribute("aria-expanded", String(this.#wanted));
    const open = needed || this.#wanted;
    try {
      if (open && !this.#start) {
        const { Start } = await this.#workflows.loadGuide();
        this.#start ??= new Start(this.#options, this.#workflows);
        this.element.append(this.#start.element);
      }
    } catch (error) {
      this.#status.showError(this.#options.t, "requestFailed", error);
    }
    if (!this.#start) return;
    this.#start.element.hidden = !open;
    if (open) this.#start.show();
    else this.#start.hide();
  }

  hide() {
    this.#start?.hide();
  }

  #want() {
    this.#wanted = !this.#wanted;
    void this.show(false);
  }
}
