// @ts-check
/** The series of `GET statistics` as shares over time. Pure: no DOM, no network. */

/** @param {Point[]} points */
export function totals(points) {
  const sum = (/** @type {"agreed" | "judged" | "images" | "images_saved"} */ name) =>
    points.reduce((before, point) => before + point[name], 0);
  const [images, images_saved] = [sum("images"), sum("images_saved")];
  return {
    images,
    images_saved,
    agreement: share(sum("agreed"), sum("judged")),
    /** Of the images that three checkpoints for every prompt would have made. */
    saved: share(images_saved, images + images_saved),
  };
}

/**
 * One line of a plot: `part` of `whole` at each point; null where there is no whole.
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
