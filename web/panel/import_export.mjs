// @ts-check
/** Exports everything that was learned as a file, and imports such a file. */

import { formatNumber } from "../components/columns.mjs";
import { downloadLink } from "../components/download_link.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { exportPath } from "../lib/api_client.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";

export class ImportExport {
  #options;
  #onImported;
  #status = new StatusLine();
  #file;
  #anonymous = element("input", { type: "checkbox" });
  #importing = false;

  /**
   * @param {PanelOptions} options
   * @param {() => void} onImported called after an import
   */
  constructor(options, onImported) {
    const { t } = options;
    this.#options = options;
    this.#onImported = onImported;
    this.#file = element("input", { type: "file", accept: ".jsonl,.ndjson", hidden: "" });
    this.#file.addEventListener("change", () => void this.#import());
    this.element = element("div", { class: "cc-import-export" }, [
      element("div", { class: "cc-actions" }, [
        downloadLink(options.server, {
          text: t("export"),
          filename: "preferences.jsonl",
          path: () => exportPath(this.#anonymous.checked),
          onError: (error) => this.#status.showError(t, "notExported", error),
        }),
        element("label", { class: "cc-check" }, [this.#anonymous, element("span", { text: t("exportAnonymous") })]),
      ]),
      element("p", { class: "cc-note", text: t("exportHelp") }),
      element("div", { class: "cc-actions" }, [button(t("import"), () => this.#file.click()), this.#file]),
      element("p", { class: "cc-note", text: t("importHelp") }),
      this.#status.element,
    ]);
  }

  async #import() {
    const { t, server } = this.#options;
    const file = this.#file.files?.[0];
    if (!file || this.#importing) return;
    this.#importing = true;
    this.#status.show(t("importing", { file: shownName(file.name) }));
    try {
      const { generations, added, verdicts_replaced } = await server.importLines(file);
      const counts = {
        all: formatNumber(generations),
        added: formatNumber(added),
        changed: formatNumber(verdicts_replaced),
      };
      this.#status.show(t("imported", counts), "saved");
      this.#onImported();
    } catch (error) {
      this.#status.showError(t, "notImported", error);
    } finally {
      this.#importing = false;
      this.#file.value = ""; // so that the same file can be selected again
    }
  }
}
