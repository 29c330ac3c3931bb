// @ts-check
/** What other people taught: adopt a file, list what is adopted, and remove it. */

import { formatNumber } from "../components/columns.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { adoptedNames } from "../recommender/explanation_text.mjs";

export class Adopted {
  #options;
  #file = element("input", { type: "file", accept: ".json", hidden: "" });
  #list = element("ul", { class: "cc-imports" });
  #status = new StatusLine();

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#file.addEventListener("change", () => void this.#adopt());
    this.element = element("div", { class: "cc-adopted" }, [
      element("p", { class: "cc-note", text: t("adoptHelp") }),
      element("div", { class: "cc-actions" }, [button(t("adopt"), () => this.#file.click()), this.#file]),
      this.#list,
      this.#status.element,
    ]);
  }

  async show() {
    try {
      this.#draw((await this.#options.server.adopted()).adopted);
    } catch (error) {
      this.#status.showError(this.#options.t, "requestFailed", error);
    }
  }

  /** @param {Json[]} adopted */
  #draw(adopted) {
    const { t } = this.#options;
    this.#list.replaceChildren(
      ...adopted.map((each) => {
        const [name] = adoptedNames([each.name], t);
        const agreement = formatNumber(Math.round(each.agreement * 100));
        return element("li", {}, [
          element("span", { text: t("adoptedEntry", { name, words: formatNumber(each.words), agreement }) }),
          button(t("removeAdopted"), () => void this.#remove(each.name), {
            "aria-label": t("removeAdoptedNamed", { name }),
          }),
        ]);
      }),
    );
  }

  async #adopt() {
    const { t, server } = this.#options;
    const file = this.#file.files?.[0];
    if (!file) return;
    this.#status.show("");
    try {
      const content = await file.text().then(JSON.parse);
      this.#draw((await server.adopt({ name: file.name, file: content })).adopted);
      this.#status.show(t("adoptedFile", { name: shownName(file.name) }), "saved");
    } catch (error) {
      this.#status.showError(t, "notAdopted", error);
    } finally {
      this.#file.value = ""; // so that the same file can be selected again
    }
  }

  /** @param {string} name */
  async #remove(name) {
    const { t, server } = this.#options;
    try {
      this.#draw((await server.removeAdopted(name)).adopted);
      this.#status.show("");
    } catch (error) {
      this.#status.showError(t, "requestFailed", error);
    }
  }
}
