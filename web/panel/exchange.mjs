// @ts-check
/** Taking everything that was taught along, and bringing it in. */

import { button, element } from "../lib/dom.mjs";
import { StatusLine } from "../lib/status_line.mjs";
import { amount } from "./cells.mjs";

export class Exchange {
  #parts;
  #imported;
  #status = new StatusLine();
  #file;
  #anonymous = element("input", { type: "checkbox" });
  #export;
  #importing = false;

  /**
   * @param {PanelParts} parts
   * @param {() => void} imported told when there may be more to see
   */
  constructor(parts, imported) {
    const { say } = parts;
    this.#parts = parts;
    this.#imported = imported;
    // A link is written to disk as it comes, but carries no header, as `--multi-user` needs.
    this.#export = element("a", { class: "cc-button", text: say("export"), download: "" });
    this.#export.addEventListener("click", (event) => this.#save(event));
    this.#anonymous.addEventListener("change", () => this.#address());
    this.#address();
    this.#file = element("input", { type: "file", accept: ".jsonl,.ndjson", hidden: "" });
    this.#file.addEventListener("change", () => void this.#import());
    this.element = element("div", { class: "cc-exchange" }, [
      element("div", { class: "cc-actions" }, [
        this.#export,
        element("label", { class: "cc-check" }, [this.#anonymous, element("span", { text: say("exportAnonymous") })]),
      ]),
      element("p", { class: "cc-note", text: say("exportHelp") }),
      element("div", { class: "cc-actions" }, [button(say("import"), () => this.#file.click()), this.#file]),
      element("p", { class: "cc-note", text: say("importHelp") }),
      this.#status.element,
    ]);
  }

  #address() {
    this.#export.setAttribute("href", this.#parts.server.exportUrl(this.#anonymous.checked));
  }

  /** @param {Event} event */
  async #save(event) {
    if (!localStorage["Comfy.userId"]) return;
    event.preventDefault();
    try {
      const href = URL.createObjectURL(await this.#parts.server.exported(this.#anonymous.checked));
      element("a", { href, download: "preferences.jsonl" }).click();
      setTimeout(URL.revokeObjectURL, 60_000, href);
    } catch (error) {
      this.#status.failed(this.#parts.say, "notExported", error);
    }
  }

  async #import() {
    const { say, server } = this.#parts;
    const file = this.#file.files?.[0];
    if (!file || this.#importing) return;
    this.#importing = true;
    this.#status.tell(say("importing", { file: file.name }));
    try {
      const { generations, added, verdicts_replaced } = await server.importLines(file);
      const counts = { all: amount(generations), added: amount(added), changed: amount(verdicts_replaced) };
      this.#status.tell(say("imported", counts), "saved");
      this.#imported();
    } catch (error) {
      this.#status.failed(say, "notImported", error);
    } finally {
      this.#importing = false;
      this.#file.value = ""; // the same file can be chosen again
    }
  }
}
