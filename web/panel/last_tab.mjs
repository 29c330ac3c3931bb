// @ts-check
/**
 * Which tab of the panel was open last, in the browser's storage; without a storage it is not remembered.
 *
 * Separate from the panel, because the standalone page reads it before it has loaded the panel.
 */

const STORAGE_KEY = "context_checkpoint.panel_tab";

/** @param {Pick<Storage, "getItem" | "setItem">} storage */
export function lastTab(storage) {
  return {
    load: () => {
      try {
        return storage.getItem(STORAGE_KEY) ?? "";
      } catch {
        return "";
      }
    },
    save: (/** @type {string} */ tab) => {
      try {
        storage.setItem(STORAGE_KEY, tab);
      } catch {
        // The storage is full or forbidden.
      }
    },
  };
}
