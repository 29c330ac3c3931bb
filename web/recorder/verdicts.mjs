// @ts-check
/**
 * What a person has said of one round of images, as values: no DOM, no network.
 *
 * Separate from the list that shows it so that every view (this list, a gallery, a standalone page) gives the
 * same meaning to a press, and so that it can be tested without a browser. A verdict is always sent whole: the
 * server replaces what it had, so a repeated or late request can never add up.
 */

/**
 * Give `verdict` to one image, or take it back where it has it already.
 *
 * @param {RoundImage[]} images
 * @param {number} index
 * @param {"selected" | "rejected"} verdict
 * @returns {RoundImage[]}
 */
export function toggled(images, index, verdict) {
  return images.map((image) =>
    image.index === index ? { ...image, verdict: image.verdict === verdict ? null : verdict } : image,
  );
}

/**
 * Reject every image, or take all verdicts back where every image is rejected already.
 *
 * @param {RoundImage[]} images
 * @returns {RoundImage[]}
 */
export function allRejected(images) {
  const verdict = areAllRejected(images) ? null : "rejected";
  return images.map((image) => ({ ...image, verdict }));
}

/**
 * Reject the images nobody said anything of.
 *
 * @param {RoundImage[]} images
 * @returns {RoundImage[]}
 */
export function restRejected(images) {
  return images.map((image) => (image.verdict === null ? { ...image, verdict: "rejected" } : image));
}

/**
 * Take every verdict back.
 *
 * @param {RoundImage[]} images
 * @returns {RoundImage[]}
 */
export function unjudged(images) {
  return images.map((image) => ({ ...image, verdict: null }));
}

/**
 * Pick exactly one: all others are rejected.
 *
 * @param {RoundImage[]} images
 * @param {number} index
 * @returns {RoundImage[]}
 */
export function onlyPicked(images, index) {
  return images.map((image) => ({ ...image, verdict: image.index === index ? "selected" : "rejected" }));
}

/**
 * The verdict on several rounds as one, their images counted on from round to round, as `POST pending/{id}`
 * takes it.
 *
 * @param {RoundImage[][]} rounds
 */
export function pickedOver(rounds) {
  const images = rounds.flat();
  /** @param {Verdict} verdict */
  const numbers = (verdict) => [...images.keys()].filter((number) => images[number].verdict === verdict);
  return { selected_images: numbers("selected"), rejected_images: numbers("rejected") };
}

/** @param {RoundImage[]} images */
export function areAllRejected(images) {
  return images.length > 0 && images.every((image) => image.verdict === "rejected");
}

/**
 * Rejecting the rest means something once there is a pick and an image without a verdict.
 *
 * @param {RoundImage[]} images
 */
export function hasRest(images) {
  return images.some((image) => image.verdict === "selected") && images.some((image) => image.verdict === null);
}

/**
 * The whole current verdict, as `POST feedback` takes it.
 *
 * @param {string} generationId
 * @param {RoundImage[]} images
 */
export function feedbackBody(generationId, images) {
  /** @param {Verdict} verdict */
  const indices = (verdict) => images.filter((image) => image.verdict === verdict).map((image) => image.index);
  return {
    generation_id: generationId,
    selected_images: indices("selected"),
    rejected_images: indices("rejected"),
  };
}

/**
 * Read a round out of what the node shows (its `ui` output) or of what the server holds (`GET generations`).
 *
 * @param {Json} record
 * @returns {Round}
 */
export function roundFrom(record) {
  const images = Array.isArray(record.images) ? record.images : [];
  return {
    generationId: text(record.generation_id ?? record.id),
    images: images.map((image, position) => imageFrom(image, position)),
    explanation: text(record.explanation),
    message: text(record.message),
    said: record.message_parts ?? text(record.message),
  };
}

/**
 * @param {Json} image
 * @param {number} position
 * @returns {RoundImage}
 */
function imageFrom(image, position) {
  const file = image.file ?? image;
  return {
    index: image.index ?? image.position ?? position,
    checkpoint: text(file.checkpoint),
    filename: text(file.filename),
    subfolder: text(file.subfolder),
    type: text(file.type),
    verdict: image.verdict === "selected" || image.verdict === "rejected" ? image.verdict : null,
  };
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}
