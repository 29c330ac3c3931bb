// @ts-check
/**
 * Stores what a node displayed last, so that it can be shown again after a reload: the generations of a recorder, the
 * plan of a recommender.
 *
 * It is in the browser's storage and not in the workflow: a workflow that is saved or shared should not contain
 * somebody's last generation, nor count as changed by each run.
 */

/** Beyond this the oldest entries are dropped; one takes a hundred bytes to a few thousand (plans). */
export const CAPACITY = 100;

export class DisplayStorage {
  #storage;
  #key;

  /**
   * @param {Pick<Storage, "getItem" | "setItem">} storage
   * @param {string} kind one word; each kind has entries of its own
   */
  constructor(storage, kind) {
    this.#storage = storage;
    this.#key = `context_checkpoint.${kind}`;
  }

  /**
   * @param {string} node see `nodeKey`
   * @param {unknown[]} displayed
   */
  save(node, displayed) {
    const { [node]: _replaced, ...others } = this.#all();
    const entries = [...Object.entries(others), [node, displayed]];
    try {
      this.#storage.setItem(this.#key, JSON.stringify(Object.fromEntries(entries.slice(-CAPACITY))));
    } catch {
      // The storage is full or forbidden: nothing is shown again after a reload.
    }
  }

  /**
   * @param {string} node
   * @returns {any[]} empty where nothing is stored
   */
  load(node) {
    const displayed = this.#all()[node];
    return Array.isArray(displayed) ? displayed : [];
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
