// @ts-check
/** What the map of preferences shows, from the server's pairs of keyword and checkpoint. Pure: no DOM, no network. */

/** Begins the keywords of a negative prompt (`learning/prompts/keywords.py`). */
const NEGATIVE = "-";

/** Of a word; all of them are in the table. */
const MOST_PHRASES = 3;

/** With so many judged images half of what can be known is known. */
const HALF_KNOWN = 4;

/** @typedef {{ keyword: string, checkpoint: string, selected: number, total: number }} Pair */
/** @typedef {{ keyword: string, label: string, isPhrase: boolean, total: number, cells: Map<string, Pair> }} MapRow */

/**
 * The checkpoints, and the words each followed by its phrases, all of them by how much is known.
 *
 * @param {Pair[]} pairs
 * @returns {{ checkpoints: string[], words: MapRow[][] }}
 */
export function mapOf(pairs) {
  /** @type {Map<string, MapRow>} */
  const rows = new Map();
  /** @type {Map<string, number>} */
  const judged = new Map();
  for (const pair of pairs) {
    const { keyword, checkpoint, total } = pair;
    const row = rows.get(keyword) ?? { keyword, label: keyword, isPhrase: false, total: 0, cells: new Map() };
    row.total += total;
    row.cells.set(checkpoint, pair);
    rows.set(keyword, row);
    judged.set(checkpoint, (judged.get(checkpoint) ?? 0) + total);
  }
  const byTotal = [...rows.values()].sort((one, other) => other.total - one.total);
  /** @type {Map<string, MapRow[]>} */
  const groups = new Map();
  const phrases = byTotal.flatMap((row) => {
    const word = wordOf(row.keyword, rows);
    if (word === null) groups.set(row.keyword, [row]);
    return word === null ? [] : [{ row, word }];
  });
  for (const { row, word } of phrases) {
    const group = groups.get(word);
    if (!group || group.length > MOST_PHRASES) continue;
    group.push({ ...row, label: withoutWord(row.keyword, word), isPhrase: true });
  }
  const checkpoints = [...judged.keys()].sort((one, other) => Number(judged.get(other)) - Number(judged.get(one)));
  return { checkpoints, words: [...groups.values()] };
}

/**
 * How a pair is drawn: which side of half, how far from it, and how much is known, all in 0..1.
 *
 * @param {Pair} pair
 */
export function markOf({ selected, total }) {
  const share = total > 0 ? selected / total : 0.5;
  return {
    liking: share >= 0.5 ? "liked" : "disliked",
    lean: Math.abs(share - 0.5) * 2,
    known: total / (total + HALF_KNOWN),
  };
}

/**
 * The word that a phrase stands under: the best known of its words, the first of equals; null for a word.
 *
 * @param {string} keyword
 * @param {Map<string, MapRow>} rows
 */
function wordOf(keyword, rows) {
  const sign = keyword.startsWith(NEGATIVE) ? NEGATIVE : "";
  const words = keyword.slice(sign.length).split(" ");
  if (words.length < 2) return null;
  const known = words.map((word) => rows.get(sign + word)).filter((row) => row !== undefined);
  known.sort((one, other) => other.total - one.total);
  return known[0]?.keyword ?? null;
}

/**
 * @param {string} phrase
 * @param {string} word
 */
function withoutWord(phrase, word) {
  const sign = word.startsWith(NEGATIVE) ? NEGATIVE : "";
  const words = phrase.slice(sign.length).split(" ");
  words[words.indexOf(word.slice(sign.length))] = "…";
  return words.join(" ");
}
