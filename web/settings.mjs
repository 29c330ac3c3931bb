// @ts-check
/**
 * The pack's settings in ComfyUI's own settings dialog.
 *
 * The server's settings are the truth, since scripts and the command line use them too: they are read once when
 * the frontend starts, and each change in the dialog is sent there. What the server refuses is set back.
 */

/** @typedef {import("./server.mjs").Server} Server */
/** @typedef {import("./comfyui").SettingDefinition} SettingDefinition */

/**
 * Dialog id, and the server's name, of each setting. Texts here are the English of `locales/en/settings.json`.
 * `panelOnly`: not in ComfyUI's dialog, which saves a number while it is typed; 3 on the way to 30 would be obeyed.
 *
 * @type {(SettingDefinition & { field: string, panelOnly?: boolean })[]}
 */
export const SETTINGS = [
  {
    field: "policy",
    id: "ContextCheckpoint.Policy",
    name: "How to learn (default policy)",
    tooltip:
      "bayesian weighs words by how much they tell and compares the images shown together; counts is the plain " +
      "share of picks per keyword; global ignores the prompt; thompson and ucb try more widely than bayesian. " +
      "A recommender node can choose its own.",
    category: ["Context Checkpoint", "Learning", "Policy"],
    type: "combo",
    defaultValue: "bayesian",
    options: ["bayesian", "thompson", "ucb", "counts", "global"].map((value) => ({ text: value, value })),
    sortOrder: 50,
  },
  {
    field: "exploit_threshold",
    id: "ContextCheckpoint.ExploitThreshold",
    name: "Use one checkpoint above this confidence",
    tooltip: "Above it only the best checkpoint is used. The default is 0.5.",
    category: ["Context Checkpoint", "Learning", "Exploit threshold"],
    type: "slider",
    defaultValue: 0.5,
    attrs: { min: 0, max: 1, step: 0.01 },
    sortOrder: 40,
  },
  {
    field: "explore_threshold",
    id: "ContextCheckpoint.ExploreThreshold",
    name: "Compare two checkpoints above this confidence",
    tooltip: "Above it two checkpoints are compared, below it three. It must not exceed the other threshold.",
    category: ["Context Checkpoint", "Learning", "Explore threshold"],
    type: "slider",
    defaultValue: 0.3,
    attrs: { min: 0, max: 1, step: 0.01 },
    sortOrder: 30,
  },
  {
    field: "half_life",
    id: "ContextCheckpoint.HalfLife",
    name: "Half-life of a verdict",
    tooltip:
      "After so many further verdicts on a checkpoint, for prompts of the same kind, a verdict counts half: tastes " +
      "change. 0 never forgets. The default is 6.",
    category: ["Context Checkpoint", "Learning", "Half-life"],
    type: "slider",
    defaultValue: 6,
    attrs: { min: 0, max: 100, step: 1 },
    sortOrder: 25,
  },
  {
    field: "kept_loaders",
    id: "ContextCheckpoint.KeptLoaders",
    name: "Checkpoints kept in memory",
    tooltip:
      "How many loaded checkpoints stay in memory for the next run, so that they need not be read again. " +
      "0 keeps none. The command “Release kept loaders” lets them go at once.",
    category: ["Context Checkpoint", "Memory", "Kept loaders"],
    type: "slider",
    defaultValue: 3,
    attrs: { min: 0, max: 20, step: 1 },
    sortOrder: 20,
  },
  {
    field: "kept_loaders_memory_share",
    id: "ContextCheckpoint.KeptLoadersMemoryShare",
    name: "Share of memory kept checkpoints may fill",
    tooltip: "The oldest kept checkpoint is let go where they would fill more than this share of all memory.",
    category: ["Context Checkpoint", "Memory", "Memory share"],
    type: "slider",
    defaultValue: 0.4,
    attrs: { min: 0, max: 1, step: 0.05 },
    sortOrder: 10,
  },
  {
    field: "keep_prompts",
    id: "ContextCheckpoint.KeepPrompts",
    name: "Keep the prompts' texts",
    tooltip: "Off: of new prompts only the keywords are stored, which is all that learning needs.",
    category: ["Context Checkpoint", "Data", "Prompts"],
    type: "boolean",
    defaultValue: true,
    sortOrder: 9,
  },
  {
    field: "retention_days",
    id: "ContextCheckpoint.RetentionDays",
    name: "Forget rounds after so many days",
    tooltip: "With what they taught, and in every copy. 0: never.",
    category: ["Context Checkpoint", "Data", "Retention"],
    type: "number",
    defaultValue: 0,
    attrs: { min: 0, max: 36_500, step: 1 },
    sortOrder: 8,
    panelOnly: true,
  },
  {
    field: "backups_kept",
    id: "ContextCheckpoint.BackupsKept",
    name: "Daily copies of the database that are kept",
    tooltip: "A damaged database is restored from the newest. 0 makes none.",
    category: ["Context Checkpoint", "Data", "Backups"],
    type: "number",
    defaultValue: 7,
    attrs: { min: 0, max: 100, step: 1 },
    sortOrder: 7,
  },
];

const MIRRORED = SETTINGS.filter(({ panelOnly }) => !panelOnly);

/**
 * What a setting is called in the person's language; English where there is no translation.
 *
 * @param {SettingDefinition} setting
 * @param {"name" | "tooltip"} part
 * @param {import("./texts.mjs").Say} say
 */
export function settingText(setting, part, say) {
  const key = `${setting.id.replaceAll(".", "_")}.${part}`;
  const said = say(key);
  return said === key ? (setting[part] ?? "") : said;
}

/** @type {SettingDefinition} Of this browser alone; the server knows nothing of it. */
export const BLIND = {
  id: "ContextCheckpoint.Blind",
  name: "Judge blind",
  tooltip:
    "Shuffles the images and hides each one's checkpoint until you have judged it, so that names do not sway.",
  category: ["Context Checkpoint", "Judging", "Blind"],
  type: "boolean",
  defaultValue: false,
  sortOrder: 60,
};

/**
 * @typedef {object} Dialog what is needed of ComfyUI's dialog
 * @property {(id: string, value: unknown) => Promise<void>} set
 * @property {(message: string) => void} warn
 */

export class SettingsMirror {
  /** @type {Record<string, unknown> | null} What the server holds; null until it has been asked. */
  #held = null;
  #server;
  #dialog;

  /**
   * @param {Server} server
   * @param {() => Dialog} dialog asked for late, because ComfyUI has no dialog yet when settings are registered
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

  /** Bring the dialog in line with the server. */
  async read() {
    try {
      const held = await this.#server.settings();
      await this.#show(held);
      this.#held = held;
    } catch (error) {
      this.#dialog().warn(messageOf(error));
    }
  }

  /**
   * @param {string} field
   * @param {unknown} value
   */
  async changed(field, value) {
    // ComfyUI also calls this while it registers the settings, with what its own file remembers.
    if (this.#held === null || this.#held[field] === value) return;
    const before = this.#held;
    this.#held = { ...before, [field]: value };
    try {
      this.#held = { ...this.#held, ...(await this.#server.changeSettings({ [field]: value })) };
    } catch (error) {
      this.#held = before;
      this.#dialog().warn(messageOf(error));
      await this.#show(before);
    }
  }

  /** @param {Record<string, unknown>} held */
  async #show(held) {
    for (const { field, id } of MIRRORED) {
      if (held[field] !== undefined) await this.#dialog().set(id, held[field]);
    }
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
