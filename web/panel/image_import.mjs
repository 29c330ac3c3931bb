// @ts-check
/**
 * *Learn from your images*: a dry run of a folder, the import with its progress, and the imports that there are.
 *
 * The import runs on the server. It goes on while the panel is closed, and the panel shows it again when it is opened.
 */

import { formatNumber, formatTime } from "../components/columns.mjs";
import { StatusLine } from "../components/status_line.mjs";
import { button, element, field } from "../lib/dom.mjs";
import { messageText } from "../lib/i18n.mjs";
import { shownName } from "../lib/shown_name.mjs";

/** @typedef {Record<string, any>} ImportJob see `GET /images/import/{id}` */
/** @typedef {{ name: string, images: number }} Count */

const ASKED_EVERY_MS = 400;
const MEGABYTE = 2 ** 20;

export class ImageImport {
  #options;
  #root = element("select");
  #folder = element("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "4096" });
  #hash = element("input", { type: "checkbox" });
  #look;
  #learn;
  #cancel;
  #bar = element("progress");
  #working;
  #form;
  #noFolders;
  #status = new StatusLine();
  #survey = element("div", { class: "cc-survey" });
  #batches = element("div");
  /** @type {ImportJob | null} the dry run that is shown, which *Learn* repeats in earnest */
  #looked = null;
  /** @type {string | null} the import that is asked for */
  #running = null;
  /** @type {ImportJob | null} the import that was cancelled here, which the server then forgets */
  #cancelled = null;
  #shown = false;

  /** @param {PanelOptions} options */
  constructor(options) {
    const { t } = options;
    this.#options = options;
    this.#look = button(t("lookAtImages"), () => void this.#start(true));
    this.#learn = button(t("learnImages"), () => void this.#start(false));
    this.#cancel = button(t("cancelImport"), () => void this.#stop());
    this.#bar.setAttribute("aria-label", t("importProgress"));
    this.#working = element("div", { class: "cc-actions" }, [this.#bar, this.#cancel]);
    this.#noFolders = element("p", { class: "cc-note", text: t("noImageFolders") });
    for (const control of [this.#root, this.#folder]) control.addEventListener("input", () => this.#forgetSurvey());
    this.#form = element("div", {}, [
      field(t("imageFolder"), this.#root),
      field(t("imageSubfolder"), this.#folder),
      element("label", { class: "cc-check" }, [this.#hash, element("span", { text: t("hashCheckpoints") })]),
      element("div", { class: "cc-actions" }, [this.#look]),
    ]);
    this.element = element("div", { class: "cc-image-import" }, [
      element("p", { class: "cc-note", text: t("learnFromImagesHelp") }),
      this.#noFolders,
      this.#form,
      this.#working,
      this.#status.element,
      this.#survey,
      element("div", { class: "cc-actions" }, [this.#learn]),
      this.#batches,
    ]);
    this.#form.hidden = this.#noFolders.hidden = true; // until it is known which folders there are
    this.#draw([]);
    this.#setRunning(null);
  }

  show() {
    this.#shown = true;
    void this.#update();
  }

  hide() {
    this.#shown = false;
  }

  /** Look at the folder that is chosen, as the button does. */
  async look() {
    this.#shown = true;
    await this.#update();
    if (!this.#form.hidden) await this.#start(true);
  }

  async #update() {
    const { t, server } = this.#options;
    try {
      const { imports, running, roots } = await server.imageImports();
      this.#setRoots(roots);
      this.#draw(imports);
      const job = running.find((/** @type {ImportJob} */ each) => each.state === "running");
      if (job && this.#running === null) void this.#follow(job);
    } catch (error) {
      this.#status.showError(t, "requestFailed", error);
    }
  }

  /** @param {{ name: string, path: string }[]} roots */
  #setRoots(roots) {
    const { t } = this.#options;
    this.#noFolders.hidden = roots.length > 0;
    this.#form.hidden = roots.length === 0;
    if (this.#root.options.length === roots.length) return;
    const names = { output: t("outputFolder"), input: t("inputFolder") };
    this.#root.replaceChildren(
      ...roots.map(({ name, path }) =>
        element("option", {
          value: name,
          title: shownName(path),
          text: names[/** @type {"output" | "input"} */ (name)] ?? shownName(name),
        }),
      ),
    );
  }

  /** @param {boolean} dryRun */
  async #start(dryRun) {
    const { t, server } = this.#options;
    if (this.#running !== null) return;
    const folder = this.#folder.value.trim();
    const body = { root: this.#root.value, folder, hash: this.#hash.checked, dry_run: dryRun };
    if (dryRun) this.#forgetSurvey();
    this.#status.show("");
    try {
      await this.#follow(await server.startImageImport(body));
    } catch (error) {
      this.#status.showError(t, dryRun ? "folderNotRead" : "imagesNotImported", error);
    }
  }

  async #stop() {
    const { t, server } = this.#options;
    if (this.#running === null) return;
    try {
      this.#cancelled = await server.cancelImageImport(this.#running);
    } catch (error) {
      this.#status.showError(t, "imagesNotImported", error);
    }
  }

  /**
   * Show an import until it has ended.
   *
   * @param {ImportJob} job
   */
  async #follow(job) {
    const { t, server } = this.#options;
    this.#setRunning(job.id);
    try {
      let now = job;
      while (now.state === "running") {
        this.#showProgress(now.progress);
        await new Promise((resolve) => setTimeout(resolve, ASKED_EVERY_MS));
        if (!this.#shown) return; // it goes on, and is found again
        now = this.#endOf(job.id) ?? (await server.imageImport(job.id));
      }
      this.#showEnd(now);
    } catch (error) {
      const end = this.#endOf(job.id);
      if (end) this.#showEnd(end);
      else this.#status.showError(t, job.dry_run ? "folderNotRead" : "imagesNotImported", error);
    } finally {
      this.#setRunning(null);
    }
  }

  /**
   * How an import ended that was cancelled here.
   *
   * @param {string} id
   */
  #endOf(id) {
    return this.#cancelled?.id === id ? this.#cancelled : null;
  }

  /** @param {string | null} id */
  #setRunning(id) {
    const hadFocus = [this.#look, this.#learn, this.#cancel].includes(
      /** @type {HTMLButtonElement} */ (document.activeElement),
    );
    this.#running = id;
    this.#working.hidden = id === null;
    this.#look.disabled = id !== null;
    this.#learn.hidden = id !== null || this.#looked === null || !learnable(this.#looked.result);
    if (!hadFocus) return; // a button that goes away must not take the focus with it
    if (id !== null) this.#cancel.focus();
    else if (this.#learn.hidden) this.#look.focus();
    else this.#learn.focus();
  }

  /** @param {{ phase: string, done: number, of: number }} progress */
  #showProgress({ phase, done, of }) {
    const { t } = this.#options;
    const unit = phase === "hashing" ? MEGABYTE : 1;
    const counts = { done: formatNumber(Math.floor(done / unit)), of: formatNumber(Math.floor(of / unit)) };
    if (of > 0) {
      this.#bar.max = of;
      this.#bar.value = done;
    } else {
      this.#bar.removeAttribute("value");
    }
    this.#status.show(t(`import_${phase}`, counts));
  }

  /** @param {ImportJob} job */
  #showEnd(job) {
    const { t } = this.#options;
    if (job.state === "cancelled") this.#status.show(t("importCancelled"));
    else if (job.state === "failed") this.#status.show(messageText(t, job.parts), "failed");
    else if (job.dry_run) {
      this.#looked = job;
      this.#survey.replaceChildren(...surveyElements(job.result, t));
      this.#learn.textContent = t("learnCount", { count: formatNumber(job.result.survey.new) });
      this.#status.show(learnable(job.result) ? t("nothingChangedYet") : t("nothingToLearn"));
    } else {
      const { added, rated } = job.result.learned;
      const counts = { count: formatNumber(added), rated: formatNumber(rated) };
      const verdicts = job.result.verdicts > 0 ? t("verdictsTaken", { count: formatNumber(job.result.verdicts) }) : "";
      this.#forgetSurvey();
      this.#status.show([t("imagesLearned", counts), verdicts].filter(Boolean).join(" "), "saved");
    }
    if (!job.dry_run) void this.#update();
  }

  #forgetSurvey() {
    this.#looked = null;
    this.#survey.replaceChildren();
    this.#learn.hidden = true;
  }

  /** @param {Record<string, any>[]} imports */
  #draw(imports) {
    const { t } = this.#options;
    this.#batches.replaceChildren(
      ...(imports.length === 0
        ? []
        : [
            element("h4", { text: t("imports") }),
            element(
              "ul",
              { class: "cc-imports" },
              imports.map((batch) =>
                element("li", {}, [
                  element("span", {
                    text: t("importEntry", {
                      name: shownName(batch.name),
                      images: formatNumber(batch.images),
                      rated: formatNumber(batch.rated),
                      time: formatTime(batch.created_at, t),
                    }),
                  }),
                  button(t("undoImport"), () => void this.#undo(batch.name), {
                    "aria-label": t("undoImportNamed", { name: shownName(batch.name) }),
                  }),
                ]),
              ),
            ),
          ]),
    );
  }

  /** @param {string} name */
  async #undo(name) {
    const { t, server, confirm } = this.#options;
    const shown = { name: shownName(name) };
    // Not as what is deleted: nobody should fear for the images.
    if (!(await confirm(t("undoImportNamed", shown), t("confirmUndoImport", shown), "default"))) return;
    this.#status.show(t("undoingImport"));
    try {
      await server.undoImageImport(name);
      this.#status.show(t("importUndone", shown), "saved");
      this.#forgetSurvey();
      await this.#update();
    } catch (error) {
      this.#status.showError(t, "importNotUndone", error);
    }
  }
}

/** @param {Record<string, any>} result */
const learnable = (result) => result.survey.new > 0 || result.verdicts > 0;

/**
 * What a dry run has found: a short table, and what is longer behind *details*.
 *
 * @param {Record<string, any>} result
 * @param {Translate} t
 */
function surveyElements({ survey, verdicts }, t) {
  const rows = /** @type {[string, number, string][]} */ ([
    ["survey_images", survey.images, ""],
    ["survey_read", survey.read, listed(survey.tools, t)],
    ["survey_matched", sum(survey.matched_by), ""],
    ["survey_missing", survey.missing_images, ""],
    ["survey_withoutModel", survey.without_model, ""],
    ["survey_rated", survey.kept + survey.rejected, ratings(survey, t)],
    ["survey_known", survey.known + survey.logged + survey.repeated, ""],
    ["survey_verdicts", verdicts, ""],
    ["survey_inFuture", survey.in_future, ""],
    ["survey_ratingsGone", survey.ratings_gone, ""],
    ["survey_new", survey.new, ""],
  ]);
  const always = new Set(["survey_images", "survey_read", "survey_matched", "survey_new"]);
  const body = rows
    .filter(([key, images]) => images > 0 || always.has(key))
    .map(([key, images, note]) =>
      element("tr", {}, [
        element("th", { scope: "row" }, [
          element("span", { text: t(key) }),
          note ? element("span", { class: "cc-note", text: note }) : null,
        ]),
        element("td", { class: "cc-numeric", text: formatNumber(images) }),
      ]),
    );
  return [
    element("table", { class: "cc-survey-table" }, [
      element("caption", { text: t("surveyCaption") }),
      element("tbody", {}, body),
    ]),
    ...survey.galleries.map((/** @type {Record<string, any>} */ gallery) =>
      element("p", {
        class: gallery.problem ? "cc-flag" : "cc-note",
        text: gallery.problem
          ? t("galleryUnread", { tool: gallery.tool || shownName(gallery.path), reason: gallery.parts })
          : t("galleryRead", { tool: gallery.tool, count: formatNumber(gallery.ratings) }),
      }),
    ),
    details(t("survey_matched"), survey.matched),
    details(t("survey_missing"), survey.missing),
    details(
      t("survey_unread"),
      survey.unread.map((/** @type {Record<string, any>} */ each) => ({
        name: t("unreadReason", { reason: unreadText(each, t), example: shownName(each.example) }),
        images: each.images,
      })),
    ),
  ].filter((each) => each !== null);
}

/**
 * @param {string} title
 * @param {Count[]} counts
 */
function details(title, counts) {
  if (counts.length === 0) return null;
  return element("details", {}, [
    element("summary", { text: title }),
    element(
      "ul",
      {},
      counts.map(({ name, images }) => element("li", { text: `${shownName(name)}: ${formatNumber(images)}` })),
    ),
  ]);
}

/**
 * @param {Record<string, any>} unread
 * @param {Translate} t
 */
function unreadText({ code, reason }, t) {
  const text = t(`unread_${code}`);
  return text === `unread_${code}` ? reason : text;
}

/**
 * @param {Count[]} counts
 * @param {Translate} t
 */
const listed = (counts, t) =>
  counts.map(({ name, images }) => `${name || t("unknownTool")} ${formatNumber(images)}`).join(", ");

/**
 * How many were kept, and where that is from.
 *
 * @param {Record<string, any>} survey
 * @param {Translate} t
 */
function ratings({ kept, rejected, rated }, t) {
  const names = /** @type {Record<string, string>} */ ({ stars: t("ratedByStars"), folder: t("ratedByFolder") });
  const sources = rated.map((/** @type {Count} */ { name }) => names[name] ?? name).join(", ");
  return t("ratedSplit", { kept: formatNumber(kept), rejected: formatNumber(rejected), sources });
}

/** @param {Record<string, number>} counts */
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
