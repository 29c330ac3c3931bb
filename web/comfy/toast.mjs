// @ts-check
/** Shows a message in a corner of ComfyUI's page. */

import { messageText } from "../lib/i18n.mjs";

const DURATION_MS = { success: 6_000, info: 20_000, warn: 6_000, error: 20_000 };

/**
 * @param {import("../types/comfyui").ComfyApp} app
 * @param {Translate} t
 * @param {"success" | "info" | "warn" | "error"} severity
 * @param {string} summary
 * @param {unknown} [detail] a text, or an error
 */
export function showToast(app, t, severity, summary, detail) {
  app.extensionManager.toast.add({
    severity,
    summary,
    detail: detail === undefined ? undefined : messageText(t, detail),
    life: DURATION_MS[severity],
  });
}
