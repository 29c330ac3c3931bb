// @ts-check
/**
 * Blind judging: the order in which images are shown, and when a name is shown. No DOM.
 *
 * The order depends on the generation's id, so that a reload shows the same one: a person would judge an image that has
 * moved by mistake.
 */

/**
 * @template Item
 * @param {Item[]} items
 * @param {string} seed
 * @returns {Item[]} the same items in another order, always the same one for a seed
 */
export function shuffled(items, seed) {
  const order = [...items];
  let state = hashOf(seed);
  for (let last = order.length - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/**
 * @param {GalleryImage} image
 * @param {boolean} blind
 */
export function nameIsShown(image, blind) {
  return !blind || image.verdict !== null;
}

/** @param {string} text FNV-1a, 32 bits (Fowler, Noll, Vo; RFC 9923) */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
