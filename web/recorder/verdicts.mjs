// @ts-check
/**
 * The verdict on one generation, as values: no DOM, no network.
 *
 * Separate from the gallery, so that a press means the same in every view and can be tested without a browser. A verdict
 * is always sent as a whole: the server replaces the former one, so a repeated or late request never adds up.
 */

/**
 * Give `verdict` to one image, or take it back where it has it already.
 *
 * @param {GalleryImage[]} images
 * @param {number} index
 * @param {"selected" | "rejected"} verdict
 * @returns {GalleryImage[]}
 */
export function toggled(images, index, verdict) {
  return images.map((image) =>
    image.index === index ? { ...image, verdict: image.verdict === verdict ? null : verdict } : image,
  );
}

/**
 * Reject every image, or take all verdicts back where every image is rejected already.
 *
 * @param {GalleryImage[]} images
 * @returns {GalleryImage[]}
 */
export function allRejected(images) {
  const verdict = areAllRejected(images) ? null : "rejected";
  return images.map((image) => ({ ...image, verdict }));
}

/**
 * Reject the images without a verdict.
 *
 * @param {GalleryImage[]} images
 * @returns {GalleryImage[]}
 */
export function restRejected(images) {
  return images.map((image) => (image.verdict === null ? { ...image, verdict: "rejected" } : image));
}

/**
 * Take every verdict back.
 *
 * @param {GalleryImage[]} images
 * @returns {GalleryImage[]}
 */
export function unjudged(images) {
  return images.map((image) => ({ ...image, verdict: null }));
}

/**
 * Pick exactly one: all others are rejected.
 *
 * @param {GalleryImage[]} images
 * @param {number} index
 * @returns {GalleryImage[]}
 */
export function onlyPicked(images, index) {
  return images.map((image) => ({ ...image, verdict: image.index === index ? "selected" : "rejected" }));
}

/**
 * The body of `POST pending/{id}`: the verdict on several generations as one, with their images counted through.
 *
 * @param {GalleryImage[][]} generations
 */
export function pickBody(generations) {
  const images = generations.flat();
  /** @param {Verdict} verdict */
  const positions = (verdict) => [...images.keys()].filter((position) => images[position].verdict === verdict);
  return { selected_images: positions("selected"), rejected_images: positions("rejected") };
}

/** @param {GalleryImage[]} images */
export function areAllRejected(images) {
  return images.length > 0 && images.every((image) => image.verdict === "rejected");
}

/**
 * Whether there is a pick and an image without a verdict, so that rejecting the rest has an effect.
 *
 * @param {GalleryImage[]} images
 */
export function hasRest(images) {
  return images.some((image) => image.verdict === "selected") && images.some((image) => image.verdict === null);
}

/**
 * The body of `POST feedback`: the whole present verdict.
 *
 * @param {string} generationId
 * @param {GalleryImage[]} images
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
 * Read a generation from the node's `ui` output or from the server's record (`GET generations`).
 *
 * @param {Json} record
 * @returns {Generation}
 */
export function generationFrom(record) {
  const images = Array.isArray(record.images) ? record.images : [];
  return {
    generationId: text(record.generation_id ?? record.id),
    images: images.map((image, position) => imageFrom(image, position)),
    message: text(record.message),
    messageParts: record.message_parts ?? text(record.message),
  };
}

/**
 * @param {Json} image
 * @param {number} position
 * @returns {GalleryImage}
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
