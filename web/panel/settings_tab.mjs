// @ts-check
/** *Settings*: the settings the server holds, where what was learned lies, and how it is taken along. */

import { SETTINGS, settingText } from "../comfy/settings.mjs";
import { button, element } from "../lib/dom.mjs";
import { StatusLine } from "../lib/status_line.mjs";
import { Asking } from "./asking.mjs";
import { amount } from "./cells.mjs";
import { Exchange } from "./exchange.mjs";
import { forgetting } from "./forgetting.mjs";

/** @typedef {typeof SETTINGS[number]} Setting */

let made = 0;

export class SettingsTab {
  #parts;
  #asking;
  #status = new StatusLine();
  #data = element("div");
  /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
  #controls = new Map();
  /** @type {Record<string, unknown>} */
  #held = {};

  /** @param {PanelParts} parts */
  constructor(parts) {
    const { say } = parts;
    this.#parts = parts;
    this.#asking = new Asking(say);
    this.element = element("div", { class: "cc-settings" }, [
      this.#asking.element,
      element("h3", { text: say("settings") }),
      ...SETTINGS.map((setting) => this.#field(setting)),
      this.#status.element,
      element("h3", { text: say("data") }),
      this.#data,
      new Exchange(parts, () => this.show()).element,
      forgetting(parts, "Prompts", { prompts: true }, () => this.show()),
      forgetting(parts, "Everything", { everything: true }, () => this.show()),
      parts.inComfyUI ? button(say("release"), () => parts.releaseLoaders()) : null,
    ]);
  }

  show() {
    const { server } = this.#parts;
    void this.#asking.ask(
      () => Promise.all([server.settings(), server.health()]),
      ([settings, health]) => {
        this.#take(settings);
        this.#describe(health);
      },
    );
  }

  hide() {
    this.#asking.drop();
    this.#status.tell("");
  }

  /** @param {Setting} setting */
  #field(setting) {
    made += 1;
    const { say } = this.#parts;
    const id = `cc-setting-${made}`;
    const described = { id, "aria-describedby": `${id}-help` };
    const control = setting.options
      ? element(
          "select",
          described,
          setting.options.map(({ text, value }) => element("option", { value, text })),
        )
      : setting.type === "boolean"
        ? element("input", { ...described, type: "checkbox" })
        : element("input", { ...described, type: "number", required: "", ...attributes(setting.attrs) });
    control.addEventListener("change", () => void this.#change(setting, control));
    this.#controls.set(setting.field, control);
    return element("div", { class: "cc-field" }, [
      element("label", { for: id, text: settingText(setting, "name", say) }),
      control,
      element("p", { id: `${id}-help`, class: "cc-note", text: settingText(setting, "tooltip", say) }),
    ]);
  }

  /**
   * @param {Setting} setting
   * @param {HTMLInputElement | HTMLSelectElement} control
   */
  async #change(setting, control) {
    const { say } = this.#parts;
    if (!control.reportValidity()) return;
    const value = setting.options ? control.value : isBox(control) ? control.checked : Number(control.value);
    this.#status.tell(say("saving"));
    try {
      this.#take(await this.#parts.changeSettings({ [setting.field]: value }), control);
      this.#status.tell(say("settingSaved"), "saved");
    } catch (error) {
      this.#take(this.#held, control);
      this.#status.failed(say, "notSaved", error);
    }
  }

  /**
   * @param {Record<string, unknown>} held
   * @param {Element} [changed] another one being written in stays as it is
   */
  #take(held, changed) {
    this.#held = held;
    for (const [field, control] of this.#controls) {
      if (held[field] === undefined || (control !== changed && control.matches(":focus"))) continue;
      if (isBox(control)) control.checked = held[field] === true;
      else control.value = String(held[field]);
    }
  }

  /** @param {Record<string, any>} health */
  #describe(health) {
    const { say } = this.#parts;
    const counts = { generations: amount(health.generations), judged: amount(health.judged) };
    this.#data.replaceChildren(
      element("p", { class: "cc-database", text: say("dataLies", { database: health.database }) }),
      element("p", { text: say("dataHeld", counts) }),
      element("p", { class: "cc-note", text: say("version", { version: health.version }) }),
    );
  }
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} control
 * @returns {control is HTMLInputElement}
 */
function isBox(control) {
  return control.type === "checkbox";
}

/** @param {Record<string, unknown>} [attrs] */
function attributes(attrs = {}) {
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, String(value)]));
}
