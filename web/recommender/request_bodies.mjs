// @ts-check
/** The request bodies for the values of a recommender node. Pure. */

/** The combos' options for no choice; in a request the field is left out instead. */
const NO_FALLBACK = "none";
const POLICY_AS_IN_SETTINGS = "default (as in settings)";

/**
 * What the combo's options mean; both parts are the default.
 *
 * @type {Record<string, string[]>} */
const NEEDS = { CLIP: ["clip"], VAE: ["vae"], "model only": [] };

const CHOICES = ["stage", "explore", "max_branches", "exploit_threshold", "explore_threshold"];

/**
 * @param {Record<string, any>} values of the node's widgets, by name
 * @returns {{ prompt: string, rules: Record<string, any>, choices: Record<string, any> }}
 */
function read(values) {
  /** @type {Record<string, any>} */
  const rules = {
    family: values.family ?? "auto",
    include: values.include ?? "",
    exclude: values.exclude ?? "",
    fallback: values.fallback === NO_FALLBACK ? "" : (values.fallback ?? ""),
  };
  if (values.folder) rules.folder = values.folder;
  if (NEEDS[values.needs]) rules.needs = NEEDS[values.needs];
  /** @type {Record<string, any>} */
  const choices = {};
  for (const name of CHOICES) if (values[name] !== undefined) choices[name] = values[name];
  // A JavaScript number cannot hold a larger seed: the server would get another one.
  if (Number.isSafeInteger(values.seed) && values.seed >= 0) choices.seed = values.seed;
  if (values.negative) choices.negative = String(values.negative);
  if (values.policy && values.policy !== POLICY_AS_IN_SETTINGS) choices.policy = values.policy;
  return { prompt: String(values.prompt ?? ""), rules, choices };
}

/** @param {Record<string, any>} values for `POST recommend` */
export function recommendBody(values) {
  const { prompt, rules, choices } = read(values);
  return { prompt, pool: rules, ...choices };
}

/** @param {Record<string, any>} values for `POST explain`, which has no nested pool */
export function explainBody(values) {
  const { prompt, rules, choices } = read(values);
  return { prompt, ...rules, ...choices };
}
