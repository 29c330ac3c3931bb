// @ts-check
/**
 * The short form of checkpoints' names; the whole name is the element's title. `short_names` in `learning/names.py` has
 * the same rule, tested on the same cases.
 */

import { element } from "./dom.mjs";
import { shownName } from "./shown_name.mjs";

/** The file extensions of ComfyUI's checkpoints. */
const EXTENSION = /\.(safetensors|sft|gguf|ckpt|pt2?|bin|pth|pkl)$/i;

/**
 * Shorten names that are shown together: each loses its folders and its extension, but for as many folders as it takes to
 * tell it from the others; where they are not enough, it keeps the extension.
 *
 * @param {Iterable<string>} names as in ComfyUI's list
 * @returns {Map<string, string>}
 */
export function shortNames(names) {
  const spelled = new Map([...names].map((name) => [name, name.replaceAll("\\", "/")]));
  const files = [...new Set(spelled.values())];
  const endings = counted(files.map((file) => [...endingsOf(file), ...endingsOf(bareName(file))]));
  const wholes = counted(files.map((file) => [file, bareName(file)]));
  const alone = (/** @type {string} */ ending) => endings.get(ending) === 1;
  const short = (/** @type {string} */ file) => {
    const bare = bareName(file);
    // A whole name may be the end of a longer one, which keeps a folder.
    return endingsOf(bare).find(alone) ?? (wholes.get(bare) === 1 ? bare : (endingsOf(file).find(alone) ?? file));
  };
  return new Map([...spelled].map(([name, file]) => [name, shownName(short(file))]));
}

/**
 * In a `bdi`, so that a right-to-left name does not change the order of the text around it.
 *
 * @param {string} name
 * @param {Map<string, string>} [short] of the names that are shown together
 */
export function nameElement(name, short = shortNames([name])) {
  return element("bdi", { class: "cc-name", text: short.get(name), title: shownName(name) });
}

/** @param {string} file without its extension, unless it is nothing else */
function bareName(file) {
  const last = file.lastIndexOf("/") + 1;
  return file.slice(0, last) + (file.slice(last).replace(EXTENSION, "") || file.slice(last));
}

/** @param {string} file with no folder, with one, and so on */
function endingsOf(file) {
  const folders = file.split("/");
  return folders.map((_, place) => folders.slice(-1 - place).join("/"));
}

/**
 * @param {string[][]} lists
 * @returns {Map<string, number>} how many of the lists have each text
 */
function counted(lists) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of lists.flatMap((list) => [...new Set(list)])) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
