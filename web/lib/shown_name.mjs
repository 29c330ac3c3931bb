// @ts-check
/**
 * How names are shown: characters that nobody sees are spelled out, so that no two names look alike. `shown_name` in
 * `learning/names.py` has the same rule and the same table, which a test compares. Pure.
 */

/**
 * First and last code points: control characters, marks of direction, of width zero or for formatting, spaces that look
 * like the usual one, fillers, variation selectors, tags, and halves of surrogate pairs.
 */
const UNSEEN = [
  [0x0000, 0x001f],
  [0x007f, 0x00a0],
  [0x00ad, 0x00ad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x1680, 0x1680],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

const unseen = UNSEEN.map((range) => range.map((point) => `\\u{${point.toString(16)}}`).join("-")).join("");
/** These, a bracket that begins what looks like their spelling, and spaces that a page does not show. */
const SPELLED_OUT = new RegExp(`[${unseen}]|\\[(?=U\\+[0-9A-F]{4,6}\\])|^ +| +$| {2,}`, "gu");

/**
 * A name with what nobody sees spelled out, for example as `[U+202E]`. Only for showing: what is stored, compared and
 * sent keeps its characters.
 *
 * @param {string} name
 */
export function shownName(name) {
  return name.replace(SPELLED_OUT, (found) =>
    [...found].map((letter) => `[U+${codePoint(letter).toString(16).toUpperCase().padStart(4, "0")}]`).join(""),
  );
}

/** @param {string} letter */
function codePoint(letter) {
  return /** @type {number} */ (letter.codePointAt(0));
}
