// @ts-check
/** The confidence interval of a share of few images. Pure. */

/** The two-sided 95 % quantile of the standard normal distribution. */
const Z = 1.959964;

/**
 * Wilson's 95 % score interval (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
 * JASA 22, 1927). It stays within 0..1 and is valid for a handful of images too.
 *
 * @param {number} selected
 * @param {number} total weights count as images, so neither has to be whole
 * @returns {{ rate: number, low: number, high: number } | null} null where nothing was judged
 */
export function wilsonInterval(selected, total) {
  if (!(total > 0)) return null;
  const rate = Math.min(1, Math.max(0, selected / total));
  const spread = Z ** 2 / total;
  const middle = (rate + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((rate * (1 - rate)) / total + spread / (4 * total))) / (1 + spread);
  return { rate, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
