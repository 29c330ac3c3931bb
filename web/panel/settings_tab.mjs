// @ts-check
/** *Settings*: the server's settings, learning from images and from others, the database, its export and import, and forgetting. */

import { SETTINGS, settingText } from "../comfy/settings.mjs";
import { formatNumber } from "../components/columns.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { button, element } from "../lib/dom.mjs";
import { Adopted } from "./adopted.mjs";
import { forgetButton } from "./forget_button.mjs";
import { ImageImport } from "./image_import.mjs";
import { ImportExport } from "./import_export.mjs";

/** @typedef {typeof SETTINGS[number]} Setting */

let fields = 0;

export class SettingsTab {
  #options;
  #request;
  #status = new StatusLine();
  #data = element("div");
  #images;
  #adopted;
  /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
  #controls = new Map();
  /** @type {Record<string, unknown>} */
  #values = {};

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#request = new RequestLine(t);
    this.#images = new ImageImport(options);
    this.#adopted = new Adopted(options);
    this.element = element("div", { class: "cc-settings" }, [
      this.#request.element,
      element("h3", { text: t("settings") }),
      ...SETTINGS.map((setting) => this.#field(setting)),
      this.#status.element,
      element("h3", { text: t("learnFromImages") }),
      this.#images.element,
      element("h3", { text: t("learnFromOthers") }),
      this.#adopted.element,
      element("h3", { text: t("data") }),
      this.#data,
      new ImportExport(options, () => this.show()).element,
      forgetButton(options, "Prompts", { prompts: true }, () => this.show()),
      forgetButton(options, "Everything", { everything: true }, () => this.show()),
      options.inComfyUI ? button(t("release"), () => options.releaseLoaders()) : null,
    ]);
  }

  show() {
    this.#images.show();
    void this.#adopted.show();
    const { server } = this.#options;
    void this.#request.send(
      () => Promise.all([server.settings(), server.health()]),
      ([settings, health]) => {
        this.#setValues(settings);
        this.#describe(health);
      },
    );
  }

  hide() {
    this.#images.hide();
    this.#request.cancel();
    this.#status.show("");
  }

  /** @param {Setting} setting */
  #field(setting) {
    fields += 1;
    const { t } = this.#options;
    const id = `cc-setting-${fields}`;
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
      element("label", { for: id, text: settingText(setting, "name", t) }),
      control,
      element("p", { id: `${id}-help`, class: "cc-note", text: settingText(setting, "tooltip", t) }),
    ]);
  }

  /**
   * @param {Setting} setting
   * @param {HTMLInputElement | HTMLSelectElement} control
   */
  async #change(setting, control) {
    const { t } = this.#options;
    if (!control.reportValidity()) return;
    const value = setting.options ? control.value : isCheckbox(control) ? control.checked : Number(control.value);
    this.#status.show(t("saving"));
    try {
      this.#setValues(await this.#options.changeSettings({ [setting.field]: value }), control);
      this.#status.show(t("settingSaved"), "saved");
    } catch (error) {
      this.#setValues(this.#values, control);
      this.#status.showError(t, "notSaved", error);
    }
  }

  /**
   * @param {Record<string, unknown>} values
   * @param {Element} [changed] any other control that has the focus keeps its value
   */
  #setValues(values, changed) {
    this.#values = values;
    for (const [field, control] of this.#controls) {
      if (values[field] === undefined || (control !== changed && control.matches(":focus"))) continue;
      if (isCheckbox(control)) control.checked = values[field] === true;
      else control.value = String(values[field]);
    }
  }

  /** @param {Record<string, any>} health */
  #describe(health) {
    const { t } = this.#options;
    const counts = { generations: formatNumber(health.generations), judged: formatNumber(health.judged) };
    this.#data.replaceChildren(
      element("p", { class: "cc-database", text: t("databaseLocation", { database: health.database }) }),
      element("p", { text: t("databaseContents", counts) }),
      element("p", { class: "cc-note", text: t("version", { version: health.version }) }),
    );
  }
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} control
 * @returns {control is HTMLInputElement}
 */
function isCheckbox(control) {
  return control.type === "checkbox";
}

/** @param {Record<string, unknown>} [attrs] */
function attributes(attrs = {}) {
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, String(value)]));
}
