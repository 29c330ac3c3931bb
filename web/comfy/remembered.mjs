// @ts-check
/**
 * Remembers what a node showed last, so that a reload can show it again: which generations a recorder listed,
 * which plan a recommender told.
 *
 * It lies in the browser's storage and not in the workflow: a workflow that is saved or shared should not carry
 * somebody's last round, nor count as changed by each run.
 */

/** The oldest entries are dropped beyond this; one is a hundred bytes to a few thousand (plans). */
export const MOST_REMEMBERED = 100;

export class Remembered {
  #storage;
  #key;

  /**
   * @param {Pick<Storage, "getItem" | "setItem">} storage
   * @param {string} what one word; each has entries of its own
   */
  constructor(storage, what) {
    this.#storage = storage;
    this.#key = `context_checkpoint.${what}`;
  }

  /**
   * @param {string} place workflow and node, see `nodePlace`
   * @param {unknown[]} shown
   */
  remember(place, shown) {
    const { [place]: _replaced, ...others } = this.#all();
    const entries = [...Object.entries(others), [place, shown]];
    try {
      this.#storage.setItem(this.#key, JSON.stringify(Object.fromEntries(entries.slice(-MOST_REMEMBERED))));
    } catch {
      // Storage full or forbidden: it is only not shown again after a reload.
    }
  }

  /**
   * @param {string} place
   * @returns {any[]} empty where nothing is remembered
   */
  recall(place) {
    const shown = this.#all()[place];
    return Array.isArray(shown) ? shown : [];
  }

  /** @returns {Record<string, unknown>} */
  #all() {
    try {
      const all = JSON.parse(this.#storage.getItem(this.#key) ?? "{}");
      return all && typeof all === "object" && !Array.isArray(all) ? all : {};
    } catch {
      return {};
    }
  }
}
