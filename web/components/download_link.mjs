// @ts-check
/**
 * A link that looks like a button and downloads a file. The browser writes a link's file to disk as it arrives, but
 * sends no header, which `--multi-user` needs: there it is fetched.
 */

import { element } from "../lib/dom.mjs";

/**
 * @param {import("../lib/api_client.mjs").Server} server
 * @param {object} options
 * @param {string} options.text
 * @param {string} options.filename where the browser gets no other name from the server
 * @param {() => string} options.path of the file, asked for with each click
 * @param {(error: unknown) => void} options.onError
 */
export function downloadLink(server, { text, filename, path, onError }) {
  const link = element("a", { class: "cc-button", text, download: "", href: server.fileUrl(path()) });
  link.addEventListener("click", async (event) => {
    link.setAttribute("href", server.fileUrl(path()));
    if (!localStorage["Comfy.userId"]) return;
    event.preventDefault();
    try {
      const href = URL.createObjectURL(await server.file(path()));
      element("a", { href, download: filename }).click();
      setTimeout(URL.revokeObjectURL, 60_000, href);
    } catch (error) {
      onError(error);
    }
  });
  return link;
}
