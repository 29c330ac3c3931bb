// @ts-check
/**
 * The pack's settings in ComfyUI's own settings dialog.
 *
 * The server's settings are the truth, since scripts and the command line use them too: they are read once when
 * the frontend starts, and each change in the dialog is sent there. What the server refuses is set back.
 */

import { DEFINITIONS } from "./setting_definitions.mjs";

/**
 * The texts of a setting are those of `locales/`, English too, found by its id.
 *
 * @param {string} name
 * @param {string} category
 * @param {Omit<SettingDefinition, "id" | "name" | "category">} details
 */
function setting(name, category, details) {
  const id = `ContextCheckpoint.${name}`;
  return { id, name: id, tooltip: id, category: ["Context Checkpoint", category, name], ...details };
}

/**
 * How the dialog shows each of the server's settings, in this order. What may be chosen, and the default, are the
 * server's definition of it. `pinned` and `banned` are chosen in the panel, checkpoint by checkpoint.
 *
 * @typedef {object} Shown
 * @property {string} field the server's name
 * @property {string} category
 * @property {"slider" | "number"} [type] of a number
 * @property {number} [step] of a number
 * @property {number} [max] of a slider that ends before the largest value
 * @property {boolean} [panelOnly] not in ComfyUI's dialog, which saves a number while it is typed: 3 on the way to 30
 *   would be obeyed
 */

/** @type {Shown[]} */
const SHOWN = [
  { field: "policy", category: "Learning" },
  { field: "exploit_threshold", category: "Learning", type: "slider", step: 0.01 },
  { field: "explore_threshold", category: "Learning", type: "slider", step: 0.01 },
  { field: "half_life", category: "Learning", type: "slider", step: 1, max: 100 },
  { field: "kept_loaders", category: "Memory", type: "slider", step: 1 },
  { field: "kept_loaders_memory_share", category: "Memory", type: "slider", step: 0.05 },
  { field: "keep_prompts", category: "Data" },
  { field: "share", category: "Data" },
  { field: "retention_days", category: "Data", type: "number", step: 1, panelOnly: true },
  { field: "backups_kept", category: "Data", type: "number", step: 1 },
];

/**
 * The setting as ComfyUI's dialog takes it, with the server's name of it.
 *
 * @param {Shown} shown
 * @param {number} place
 */
function dialogSetting({ field, category, type, step, max, panelOnly = false }, place) {
  const { default: defaultValue, choices, minimum, maximum } = DEFINITIONS[field];
  const name = field.replace(/(?:^|_)(\w)/g, (_match, letter) => String(letter).toUpperCase());
  const kind = choices
    ? { type: "combo", options: choices.map((value) => ({ text: value, value })) }
    : type
      ? { type, attrs: { min: minimum, max: max ?? maximum, step } }
      : { type: "boolean" };
  return { field, panelOnly, ...setting(name, category, { ...kind, defaultValue, sortOrder: 50 - place }) };
}

/** @type {(SettingDefinition & { field: string, panelOnly: boolean })[]} */
export const SETTINGS = SHOWN.map(dialogSetting);

const MIRRORED = SETTINGS.filter(({ panelOnly }) => !panelOnly);

/**
 * @param {SettingDefinition} setting
 * @param {"name" | "tooltip"} part
 * @param {Translate} t
 */
export function settingText({ id }, part, t) {
  return t(`${id.replaceAll(".", "_")}.${part}`);
}

/** @type {SettingDefinition} Of this browser alone; the server knows nothing of it. */
export const BLIND = setting("Blind", "Judging", { type: "boolean", defaultValue: false, sortOrder: 60 });

/**
 * @typedef {object} Dialog what is needed of ComfyUI's dialog
 * @property {(id: string, value: unknown) => Promise<void>} set
 * @property {(error: unknown) => void} warn
 */

export class SettingsMirror {
  /** @type {Record<string, unknown> | null} The server's settings; null until they have been read. */
  #values = null;
  #server;
  #dialog;

  /**
   * @param {Server} server
   * @param {() => Dialog} dialog called late, because ComfyUI has no dialog yet when settings are registered
   */
  constructor(server, dialog) {
    this.#server = server;
    this.#dialog = dialog;
  }

  /** @returns {SettingDefinition[]} for `app.registerExtension` */
  definitions() {
    const mirrored = MIRRORED.map(({ field, panelOnly, ...definition }) => ({
      ...definition,
      onChange: (/** @type {unknown} */ value) => void this.changed(field, value),
    }));
    return [...mirrored, BLIND];
  }

  /** Show the server's settings in the dialog. */
  async read() {
    try {
      const values = await this.#server.settings();
      await this.#show(values);
      this.#values = values;
    } catch (error) {
      this.#dialog().warn(error);
    }
  }

  /**
   * @param {string} field
   * @param {unknown} value
   */
  async changed(field, value) {
    // ComfyUI also calls this while it registers the settings, with the values of its own file.
    if (this.#values === null || this.#values[field] === value) return;
    const before = this.#values;
    this.#values = { ...before, [field]: value };
    try {
      this.#values = { ...this.#values, ...(await this.#server.changeSettings({ [field]: value })) };
    } catch (error) {
      this.#values = before;
      this.#dialog().warn(error);
      await this.#show(before);
    }
  }

  /** @param {Record<string, unknown>} values */
  async #show(values) {
    for (const { field, id } of MIRRORED) {
      if (values[field] !== undefined) await this.#dialog().set(id, values[field]);
    }
  }
}
