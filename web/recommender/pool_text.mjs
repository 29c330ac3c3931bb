// @ts-check
/** Which checkpoints a recommender chooses among, in one line: its inputs for that are folded away. Pure. */

import { shownName } from "../lib/shown_name.mjs";

/** The values of a new node, which restrict nothing. */
const NEUTRAL = { family: ["auto", "all"], folder: ["checkpoints"], needs: ["CLIP and VAE"], fallback: ["none"] };

/**
 * @param {Record<string, any>} values of the node's widgets, by name
 * @param {Translate} t
 */
export function poolText(values, t) {
  /** @param {"family" | "folder" | "needs" | "fallback"} name */
  const isSet = (name) => values[name] && !NEUTRAL[name].includes(values[name]);
  const rules = [
    isSet("folder") ? t("poolFolder", { folder: shownName(values.folder) }) : t("poolAll"),
    isSet("family") ? t("poolOnly", { what: values.family }) : "",
    values.include?.trim() ? t("poolOnly", { what: shownName(values.include.trim()) }) : "",
    values.exclude?.trim() ? t("poolWithout", { what: shownName(values.exclude.trim()) }) : "",
    isSet("needs") ? t("poolNeeds", { what: values.needs }) : "",
    isSet("fallback") ? t("poolElse", { what: shownName(values.fallback) }) : "",
  ];
  return t("pool", { rules: rules.filter(Boolean).join(t("listComma")) });
}
