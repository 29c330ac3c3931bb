// @ts-check
/** Which tab of the panel was open last. Its page asks before the panel is there. */

const LAST_TAB = "context_checkpoint.panel_tab";

/**
 * In the browser's storage; without one it is only not remembered.
 *
 * @param {Pick<Storage, "getItem" | "setItem">} storage
 */
export function lastTab(storage) {
  return {
    recall: () => {
      try {
        return storage.getItem(LAST_TAB) ?? "";
      } catch {
        return "";
      }
    },
    keep: (/** @type {string} */ tab) => {
      try {
        storage.setItem(LAST_TAB, tab);
      } catch {
        // Storage full or forbidden.
      }
    },
  };
}
