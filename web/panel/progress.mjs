// @ts-check
/** What the series of `GET statistics` says, in shares. Pure: no DOM, no network. */

/**
 * @typedef {object} Point sums over neighbouring rounds, as the server tells them
 * @property {number} generations
 * @property {number} judged
 * @property {number} agreed
 * @property {number} exploited
 * @property {number} images
 * @property {number} images_saved
 * @property {number} confidence
 * @property {string} first_at
 * @property {string} last_at
 */

/** @typedef {{ from: number, to: number, value: number | null }} Share of the rounds `from` to `to`, from 1 */

const SUMS = /** @type {const} */ ([
  "generations",
  "judged",
  "agreed",
  "exploited",
  "images",
  "images_saved",
  "confidence",
]);

/** @param {Point[]} points */
export function summed(points) {
  const sums = {
    generations: 0,
    judged: 0,
    agreed: 0,
    exploited: 0,
    images: 0,
    images_saved: 0,
    confidence: 0,
  };
  for (const point of points) for (const name of SUMS) sums[name] += point[name];
  return {
    ...sums,
    agreement: share(sums.agreed, sums.judged),
    /** Of the images that always comparing three would have made. */
    saved: share(sums.images_saved, sums.images + sums.images_saved),
  };
}

/**
 * One line of a plot: `part` of `whole` in each point; null where there is no whole.
 *
 * @param {Point[]} points
 * @param {"confidence" | "exploited" | "agreed"} part
 * @param {"generations" | "judged"} whole
 * @returns {Share[]}
 */
export function shares(points, part, whole) {
  let before = 0;
  return points.map((point) => {
    const from = before + 1;
    before += point.generations;
    return { from, to: before, value: share(point[part], point[whole]) };
  });
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole > 0 ? Math.min(1, part / whole) : null;
}
