// @ts-check
/**
 * Remembers which generation each recorder showed last, so that a reload can show it again.
 *
 * It lies in the browser's storage and not in the workflow: a workflow that is saved or shared should not carry
 * the id of somebody's last round, nor count as changed by each run.
 */

const KEY = "context_checkpoint.rounds";

/** Old entries are dropped beyond this; each is about a hundred bytes. */
export const MOST_REMEMBERED = 200;

export class RememberedRounds {
  #storage;

  /** @param {Pick<Storage, "getItem" | "setItem">} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * @param {string} place workflow and node, see `nodePlace`
   * @param {string[]} generationIds
   */
  remember(place, generationIds) {
    const { [place]: _replaced, ...others } = this.#all();
    const entries = [...Object.entries(others), [place, generationIds]];
    try {
      this.#storage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-MOST_REMEMBERED))));
    } catch {
      // Storage full or forbidden: the round is only not shown again after a reload.
    }
  }

  /**
   * @param {string} place
   * @returns {string[]}
   */
  recall(place) {
    const ids = this.#all()[place];
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  }

  /** @returns {Record<string, unknown>} */
  #all() {
    try {
      const all = JSON.parse(this.#storage.getItem(KEY) ?? "{}");
      return all && typeof all === "object" && !Array.isArray(all) ? all : {};
    } catch {
      return {};
    }
  }
}
