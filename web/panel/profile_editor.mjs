// @ts-check
/**
 * The settings of one checkpoint: what is known, from where, and a form for what the person sets. An empty field shows
 * the value that is used without it.
 */

import { RequestLine } from "../components/request_line.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { button, element, field } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { settingsElement } from "../recommender/branch_settings.mjs";

/** The fields with what a browser checks; the server has the last word. */
const NUMBERS = /** @type {const} */ ({
  steps: { min: "1", max: "10000", step: "1" },
  cfg: { min: "0", max: "100", step: "any" },
  width: { min: "16", max: "16384", step: "1" },
  height: { min: "16", max: "16384", step: "1" },
  clip_skip: { min: "1", max: "24", step: "1" },
});
const CHOICES = /** @type {const} */ ([
  ["sampler", "samplers"],
  ["scheduler", "schedulers"],
]);
const WORDS = /** @type {const} */ (["before", "after", "negative"]);

const LONGEST_WORDS = "10000";

let lists = 0;

export class ProfileEditor {
  #options;
  #checkpoint;
  #request;
  #status = new StatusLine();
  #known = element("div");
  /** @type {Map<string, HTMLInputElement | HTMLTextAreaElement>} */
  #controls = new Map();
  /** @type {Map<string, HTMLDataListElement>} */
  #lists = new Map();

  /**
   * @param {PanelOptions} options
   * @param {string} checkpoint
   */
  constructor(options, checkpoint) {
    const { t } = options;
    this.#options = options;
    this.#checkpoint = checkpoint;
    this.#request = new RequestLine(t);
    const form = element(
      "form",
      { class: "cc-profile", "aria-label": t("profileOf", { checkpoint: shownName(checkpoint) }), hidden: "" },
      [
        element("div", { class: "cc-filters" }, [
          ...this.#numbers("steps", "cfg"),
          ...CHOICES.map(([name, list]) => this.#choice(name, list)),
          ...this.#numbers("width", "height", "clip_skip"),
        ]),
        ...WORDS.map((name) => this.#field(name, element("textarea", { rows: "2", maxlength: LONGEST_WORDS }))),
        element("div", { class: "cc-actions" }, [
          element("button", { type: "submit", text: t("profileSave") }),
          button(t("profileClear"), () => void this.#save({ clear: true })),
        ]),
        this.#status.element,
      ],
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save({ settings: this.#values() });
    });
    this.element = element("div", {}, [
      this.#request.element,
      this.#known,
      element("p", { class: "cc-note", text: t("profileHelp") }),
      form,
    ]);
    void this.#request.send(
      () => options.server.profiles(checkpoint),
      (answer) => {
        for (const [, list] of CHOICES) {
          this.#lists
            .get(list)
            ?.replaceChildren(...answer[list].map((/** @type {string} */ value) => element("option", { value })));
        }
        this.#show(answer.profiles[0]);
        // Not before: the answer would replace what is typed, and saving an empty field takes its value back.
        form.hidden = false;
      },
    );
  }

  /** @param {(keyof typeof NUMBERS)[]} names */
  #numbers(...names) {
    return names.map((name) => this.#field(name, element("input", { type: "number", ...NUMBERS[name] })));
  }

  /**
   * @param {string} name
   * @param {HTMLInputElement | HTMLTextAreaElement} control
   */
  #field(name, control) {
    this.#controls.set(name, control);
    return field(this.#options.t(`profile_${name}`), control);
  }

  /**
   * A text with suggestions, because another pack may have more than ComfyUI.
   *
   * @param {string} name
   * @param {string} list
   */
  #choice(name, list) {
    lists += 1;
    const id = `cc-choices-${lists}`;
    const suggestions = element("datalist", { id });
    this.#lists.set(list, suggestions);
    const input = element("input", { type: "text", list: id, maxlength: "100", autocomplete: "off" });
    const labelled = this.#field(name, input);
    labelled.append(suggestions);
    return labelled;
  }

  /** All fields; an empty one takes its value back. */
  #values() {
    const values = [...this.#controls].map(([name, control]) => {
      const text = control.value.trim();
      if (text === "") return [name, null];
      return [name, name in NUMBERS ? Number(text) : text];
    });
    return Object.fromEntries(values);
  }

  /** @param {object} change */
  async #save(change) {
    const { t, server } = this.#options;
    this.#status.show(t("saving"));
    try {
      this.#show(await server.setProfile({ checkpoint: this.#checkpoint, ...change }));
      this.#status.show(t("settingSaved"), "saved");
    } catch (error) {
      this.#status.showError(t, "notSaved", error);
    }
  }

  /** @param {Json} profile */
  #show(profile) {
    const { t } = this.#options;
    this.#known.replaceChildren(settingsElement(profile, t, t("settingsNone")));
    for (const [name, control] of this.#controls) {
      const [own, known] = [profile.set[name], profile.settings[name]];
      control.value = own === null ? "" : String(own);
      control.placeholder = own === null && known !== null ? String(known) : "";
    }
  }
}
