// @ts-check
/**
 * The guide for a person who has learned nothing yet: what was found, the examples that fit it, and the images that could
 * be learned from. Each part is shown as it comes; none waits for another.
 */

import { examples, lacking, openExample } from "../comfy/examples.mjs";
import { formatNumber } from "../components/columns.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { button, element } from "../lib/dom.mjs";
import { shownName } from "../lib/shown_name.mjs";
import { ImageImport } from "./image_import.mjs";

/** @typedef {import("../comfy/examples.mjs").Example} Example */

const FOLDERS = /** @type {const} */ (["checkpoints", "diffusion_models", "unet_gguf"]);

/** More would hide what comes after them. */
const MOST_EXAMPLES = 4;

export class Start {
  #options;
  #workflows;
  #found = element("div", { class: "cc-start-found" });
  #examples = element("div", { class: "cc-start-examples" });
  #images = element("div", { class: "cc-start-images" });
  #status = new StatusLine();
  #import;

  /**
   * @param {PanelOptions} options
   * @param {NonNullable<PanelOptions["workflows"]>} workflows
   */
  constructor(options, workflows) {
    const { t } = options;
    this.#options = options;
    this.#workflows = workflows;
    this.#import = new ImageImport(options);
    this.#import.element.hidden = true;
    this.element = element("section", { class: "cc-start", "aria-label": t("start") }, [
      element("h3", { text: t("start") }),
      element("p", { text: t("startIntro") }),
      element("h4", { text: t("startFound") }),
      this.#found,
      element("h4", { text: t("startExamples") }),
      this.#status.element,
      this.#examples,
      element("h4", { text: t("learnFromImages") }),
      this.#images,
      this.#import.element,
    ]);
  }

  show() {
    const { server, t } = this.#options;
    const models = server.start();
    note(this.#found, t("startLooking"));
    this.#fill(this.#found, async () => this.#foundElements(await models));
    this.#fill(this.#examples, async () => this.#exampleElements(await examples(this.#workflows), await models));
    if (!this.#import.element.hidden) {
      this.#import.show();
      return;
    }
    note(this.#images, t("startCounting"));
    this.#fill(this.#images, async () => this.#imageElements(await server.startImages()));
  }

  hide() {
    this.#import.hide();
  }

  /**
   * @param {HTMLElement} place
   * @param {() => Promise<HTMLElement[]>} load
   */
  async #fill(place, load) {
    try {
      place.replaceChildren(...(await load()));
    } catch (error) {
      const status = new StatusLine();
      status.showError(this.#options.t, "requestFailed", error);
      place.replaceChildren(status.element);
    }
  }

  /** @param {Json} found */
  #foundElements({ models, unusable, folders }) {
    const { t } = this.#options;
    const lines = FOLDERS.map((folder) => {
      const rows = models.filter((/** @type {Json} */ row) => row.folder === folder);
      if (rows.length === 0) return null;
      const families = rows.map((/** @type {Json} */ row) =>
        t("startFamily", { count: formatNumber(row.files), family: familyName(row.family, t) }),
      );
      const files = rows.reduce((/** @type {number} */ sum, /** @type {Json} */ row) => sum + row.files, 0);
      return element("li", {
        "data-folder": folder,
        text: t(`startModels_${folder}`, { count: formatNumber(files), families: families.join(t("listComma")) }),
      });
    });
    const listed = lines.filter((line) => line !== null);
    const most = Math.max(0, ...models.map((/** @type {Json} */ row) => row.files));
    return [
      listed.length > 0
        ? element("ul", {}, listed)
        : element("p", {
            class: "cc-note",
            text: t("startNoModels", { folder: shownName(folders[0] ?? "models/checkpoints") }),
          }),
      ...(most === 1 ? [element("p", { class: "cc-note", text: t("startOneModel") })] : []),
      ...(unusable > 0
        ? [element("p", { class: "cc-note", text: t("startUnusable", { count: formatNumber(unusable) }) })]
        : []),
    ];
  }

  /**
   * @param {Example[]} all
   * @param {Json} found
   */
  #exampleElements(all, { models }) {
    const { t } = this.#options;
    const sorted = all.map((example) => ({ example, lacks: lacking(example.needs, models) }));
    const fitting = sorted.filter(({ lacks }) => lacks === "");
    const others = [...fitting.splice(MOST_EXAMPLES), ...sorted.filter(({ lacks }) => lacks !== "")];
    const list = (/** @type {typeof sorted} */ chosen) =>
      element(
        "ul",
        { class: "cc-examples" },
        chosen.map(({ example, lacks }) => this.#card(example, models, lacks)),
      );
    return [
      fitting.length > 0 ? list(fitting) : element("p", { class: "cc-note", text: t("startNoExamples") }),
      ...(others.length > 0
        ? [element("details", {}, [element("summary", { text: t("startMoreExamples") }), list(others)])]
        : []),
    ];
  }

  /**
   * @param {Example} example
   * @param {Json[]} models
   * @param {string} lacks
   */
  #card(example, models, lacks) {
    const { t } = this.#options;
    const title = textOf(`example_${example.name}`, t) || example.name.replaceAll("_", " ");
    const text = textOf(`example_${example.name}_text`, t);
    return element("li", { "data-example": example.name }, [
      element("img", { src: example.picture, alt: "", loading: "lazy" }),
      element("div", {}, [
        element("strong", { text: title }),
        text ? element("p", { text }) : null,
        lacks ? element("p", { class: "cc-note", text: t(`startLacks_${lacks}`) }) : null,
        button(t("openExample"), () => void this.#open(example, models, title), {
          "aria-label": t("openExampleNamed", { name: title }),
        }),
      ]),
    ]);
  }

  /**
   * @param {Example} example
   * @param {Json[]} models
   * @param {string} title
   */
  async #open(example, models, title) {
    const { t } = this.#options;
    try {
      const lacks = await openExample(example, models, this.#workflows);
      const nodes = lacks.join(t("listComma"));
      this.#status.show(lacks.length > 0 ? t("openedLacking", { name: title, nodes }) : t("opened", { name: title }));
    } catch (error) {
      this.#status.showError(t, "notOpened", error);
    }
  }

  /** @param {Json} found */
  #imageElements({ images }) {
    const { t } = this.#options;
    if (images === 0) return [element("p", { class: "cc-note", text: t("startNoImages") })];
    return [
      element("p", { text: t("startImages", { count: formatNumber(images) }) }),
      button(t("startLearn"), () => this.#learn(), { class: "cc-start-learn" }),
    ];
  }

  #learn() {
    this.#images.replaceChildren();
    this.#import.element.hidden = false;
    this.#import.show();
    void this.#import.look();
  }
}

/**
 * @param {HTMLElement} place
 * @param {string} text while it is empty
 */
function note(place, text) {
  if (place.childElementCount === 0) place.append(element("p", { class: "cc-note", text }));
}

/**
 * @param {string} key
 * @param {Translate} t
 */
function textOf(key, t) {
  const text = t(key);
  return text === key ? "" : text;
}

/**
 * @param {string} family
 * @param {Translate} t
 */
function familyName(family, t) {
  return family === "unknown" ? t("unknownFamily") : family;
}
