// @ts-check
/** A plan's strategy and explanation in words. Pure, so that node, panel and page show the same. */

import { explanationSentence } from "./explanation_text.mjs";

/**
 * @param {Record<string, any>} record the node's `ui` output
 * @returns {Plan}
 */
export function planFrom(record) {
  return {
    checkpoints: Array.isArray(record.checkpoints) ? record.checkpoints.map(String) : [],
    strategy: String(record.strategy ?? ""),
    explanation: String(record.explanation ?? ""),
    parts: record.explanation_parts ?? null,
    branches: Array.isArray(record.branches) ? record.branches : [],
    progress: record.progress ?? null,
    fallback: record.fallback === true,
    confidence: share(record.confidence),
    evidence: share(record.evidence),
    clarity: share(record.clarity),
  };
}

/**
 * @param {Plan} plan
 * @param {Translate} t
 */
export function strategyText(plan, t) {
  if (plan.fallback) return t("strategy_fallback");
  const count = plan.checkpoints.length;
  if (plan.strategy === "explore" && count === 1) return t("strategy_explore_one");
  return t(`strategy_${plan.strategy}`, { count });
}

/**
 * @param {Plan} plan
 * @param {Translate} t
 */
export function explanationText({ checkpoints, explanation, parts }, t) {
  return parts ? explanationSentence(checkpoints, parts, t) : explanation;
}

/**
 * How far it is to one checkpoint alone; empty where verdicts do not decide that.
 *
 * @param {Json | null} progress
 * @param {Translate} t
 */
export function progressText(progress, t) {
  if (!progress) return "";
  if (progress.alone) return t("progressAlone");
  const counts = { pictures: progress.pictures, of: progress.of_about };
  return t(progress.of_about === null ? "progressUnclear" : "progress", counts);
}

/** @param {number} value in 0..1 */
export function percent(value) {
  return `${Math.round(value * 100)} %`;
}

/** @param {unknown} value */
function share(value) {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}
