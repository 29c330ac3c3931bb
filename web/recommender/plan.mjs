// @ts-check
/** What the recommender's plan says, in words. Pure, so that node, panel and page tell it alike. */

import { sentence } from "./sentence.mjs";

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
    fallback: record.fallback === true,
    confidence: share(record.confidence),
    evidence: share(record.evidence),
    clarity: share(record.clarity),
  };
}

/**
 * @param {Plan} plan
 * @param {Say} say
 */
export function strategyInWords(plan, say) {
  if (plan.fallback) return say("strategy_fallback");
  const count = plan.checkpoints.length;
  if (plan.strategy === "explore" && count === 1) return say("strategy_explore_one");
  return say(`strategy_${plan.strategy}`, { count });
}

/**
 * @param {Plan} plan
 * @param {Say} say
 */
export function explanationInWords({ checkpoints, explanation, parts }, say) {
  return parts ? sentence(checkpoints, parts, say) : explanation;
}

/** @param {number} value in 0..1 */
export function percent(value) {
  return `${Math.round(value * 100)} %`;
}

/** @param {unknown} value */
function share(value) {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}
