// @ts-check
/**
 * The settings as `runtime/settings.py` defines them.
 * Written by `python run.py docs --write`; change them there.
 */

/** @type {Record<string, { default: unknown, choices?: string[], minimum?: number, maximum?: number }>} */
export const DEFINITIONS = {
  policy: { default: "bayesian", choices: ["bayesian", "counts", "global", "thompson", "ucb"] },
  exploit_threshold: { default: 0.5, minimum: 0, maximum: 1 },
  explore_threshold: { default: 0.3, minimum: 0, maximum: 1 },
  half_life: { default: 6, minimum: 0, maximum: 1000 },
  kept_loaders: { default: 3, minimum: 0, maximum: 20 },
  kept_loaders_memory_share: { default: 0.4, minimum: 0, maximum: 1 },
  backups_kept: { default: 7, minimum: 0, maximum: 100 },
  keep_prompts: { default: true },
  retention_days: { default: 0, minimum: 0, maximum: 36500 },
  share: { default: false },
  pinned: { default: [] },
  banned: { default: [] },
  serve_names: { default: [] },
};
