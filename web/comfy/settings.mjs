// @ts-check
/**
 * The pack's settings in ComfyUI's own settings dialog.
 *
 * The server's settings are the truth, since scripts and the command line use them too: they are read once when
 * the frontend starts, and each change in the dialog is sent there. What the server refuses is set back.
 */

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
 * @param {"slider" | "number"} type
 * @param {number} defaultValue
 * @param {number} max
 * @param {number} step
 */
function numeric(type, defaultValue, max, step) {
  return { type, defaultValue, attrs: { min: 0, max, step } };
}

/**
 * The server's name of each setting beside the dialog's, in the dialog's order.
 * `panelOnly`: not in ComfyUI's dialog, which saves a number while it is typed; 3 on the way to 30 would be obeyed.
 *
 * @type {(SettingDefinition & { field: string, panelOnly?: boolean })[]}
 */
export const SETTINGS = [
  {
    field: "policy",
    ...setting("Policy", "Learning", {
      type: "combo",
      defaultValue: "bayesian",
      options: ["bayesian", "thompson", "ucb", "counts", "global"].map((value) => ({ text: value, value })),
      sortOrder: 50,
    }),
  },
  {
    field: "exploit_threshold",
    ...setting("ExploitThreshold", "Learning", { ...numeric("slider", 0.5, 1, 0.01), sortOrder: 40 }),
  },
  {
    field: "explore_threshold",
    ...setting("ExploreThreshold", "Learning", { ...numeric("slider", 0.3, 1, 0.01), sortOrder: 30 }),
  },
  {
    field: "half_life",
    ...setting("HalfLife", "Learning", { ...numeric("slider", 6, 100, 1), sortOrder: 25 }),
  },
  {
    field: "kept_loaders",
    ...setting("KeptLoaders", "Memory", { ...numeric("slider", 3, 20, 1), sortOrder: 20 }),
  },
  {
    field: "kept_loaders_memory_share",
    ...setting("KeptLoadersMemoryShare", "Memory", { ...numeric("slider", 0.4, 1, 0.05), sortOrder: 10 }),
  },
  {
    field: "keep_prompts",
    ...setting("KeepPrompts", "Data", { type: "boolean", defaultValue: true, sortOrder: 9 }),
  },
  {
    field: "retention_days",
    ...setting("RetentionDays", "Data", { ...numeric("number", 0, 36_500, 1), sortOrder: 8 }),
    panelOnly: true,
  },
  {
    field: "backups_kept",
    ...setting("BackupsKept", "Data", { ...numeric("number", 7, 100, 1), sortOrder: 7 }),
  },
];

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
    const mirrored = MIRRORED.map(({ field, ...definition }) => ({
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
