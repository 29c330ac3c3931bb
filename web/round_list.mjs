// @ts-check
/**
 * The list of a run's images with its pick and reject buttons.
 *
 * It knows neither ComfyUI nor a node: what to show, how to save and where an image is to be had are handed in,
 * so that a sidebar or a standalone page can hold the same list.
 */

import { nameElement } from "./checkpoint_name.mjs";
import { button, element } from "./elements.mjs";
import { VerdictSaver } from "./verdict_saver.mjs";
import { allRejected, areAllRejected, feedbackBody, hasRest, restRejected, toggled } from "./verdicts.mjs";

/** @typedef {import("./texts.mjs").Say} Say */
/** @typedef {import("./verdicts.mjs").Round} Round */
/** @typedef {import("./verdicts.mjs").RoundImage} RoundImage */

/**
 * @typedef {object} RoundListParts
 * @property {Say} say
 * @property {(body: object) => Promise<unknown>} save
 * @property {(image: RoundImage, generationId: string) => string} imageUrl
 * @property {(reason: string) => void} lost told of a verdict that was not saved and whose list nobody sees any more
 * @property {() => void} resized called after the list became longer or shorter
 */

export class RoundList {
  /** @type {RoundSection[]} */
  #sections = [];
  #parts;

  /** @param {RoundListParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.element = element("div", { class: "cc-rounds" });
    this.show([]);
  }

  /** Ids of the generations that are shown now. */
  get generationIds() {
    return this.#sections.map((section) => section.generationId).filter((id) => id !== "");
  }

  /** @param {Round[]} rounds */
  show(rounds) {
    this.#sections = rounds.map((round) => new RoundSection(round, this.#parts));
    const shown = this.#sections.map((section) => section.element);
    this.element.replaceChildren(...(shown.length > 0 ? shown : [this.#note("nothingYet")]));
    this.#parts.resized();
  }

  /** @param {unknown} error why a remembered run could not be shown again */
  showNotRecalled(error) {
    const reason = error instanceof Error ? error.message : String(error);
    this.element.replaceChildren(this.#note("nothingYet"), this.#note("notRecalled", { reason }));
    this.#parts.resized();
  }

  /**
   * @param {string} key
   * @param {Record<string, string>} [values]
   */
  #note(key, values) {
    return element("p", { class: "cc-note", text: this.#parts.say(key, values) });
  }
}

class RoundSection {
  #parts;
  #saver;
  /** @type {RoundImage[]} */
  #images;
  /** @type {{ row: HTMLElement, pick: HTMLElement, reject: HTMLElement }[]} */
  #rows = [];

  /**
   * @param {Round} round
   * @param {RoundListParts} parts
   */
  constructor(round, parts) {
    this.#parts = parts;
    this.#images = round.images;
    this.generationId = round.generationId;
    this.#saver = new VerdictSaver(parts.save, (state, detail) => this.#report(state, detail));
    const { say } = parts;

    this.list = element(
      "ul",
      { class: "cc-images", "aria-label": say("images") },
      this.#images.map((image) => this.#rowFor(image)),
    );
    this.rejectAll = button(say("rejectAll"), () => this.#change(allRejected(this.#images)));
    this.rejectRest = button(say("rejectRest"), () => {
      if (hasRest(this.#images)) this.#change(restRejected(this.#images));
    });
    this.status = element("p", { class: "cc-status", role: "status", "aria-live": "polite" });
    this.retry = button(say("tryAgain"), () => this.#save());
    this.retry.hidden = true;
    const judgeable = this.generationId !== "";
    this.element = element("section", { class: "cc-round" }, [
      round.message ? element("p", { class: "cc-note cc-warning", text: round.message }) : null,
      this.list,
      judgeable
        ? element("div", { class: "cc-foot" }, [
            element("div", { class: "cc-actions" }, [this.rejectAll, this.rejectRest]),
            element("div", { class: "cc-saving" }, [this.status, this.retry]),
          ])
        : element("p", { class: "cc-note", text: say("notLogged") }),
    ]);
    this.#refresh();
  }

  /** @param {RoundImage} image */
  #rowFor(image) {
    const { say } = this.#parts;
    const values = { number: image.index + 1, checkpoint: image.checkpoint };
    const pick = button(say("pick"), () => this.#change(toggled(this.#images, image.index, "selected")), {
      class: "cc-pick",
      "aria-label": say("pickImage", values),
    });
    const reject = button(say("reject"), () => this.#change(toggled(this.#images, image.index, "rejected")), {
      class: "cc-reject",
      "aria-label": say("rejectImage", values),
    });
    const row = element("li", { class: "cc-image" }, [
      this.#thumbnail(image, say("imageBy", values)),
      element("div", { class: "cc-judged" }, [
        nameElement(image.checkpoint),
        this.generationId === "" ? null : element("span", { class: "cc-verdict" }, [pick, reject]),
      ]),
    ]);
    this.#rows.push({ row, pick, reject });
    return row;
  }

  /**
   * @param {RoundImage} image
   * @param {string} description
   */
  #thumbnail(image, description) {
    const gone = () => element("span", { class: "cc-thumbnail cc-gone", text: this.#parts.say("imageGone") });
    if (image.filename === "") return gone();
    const picture = element("img", {
      class: "cc-thumbnail",
      alt: description,
      title: description,
      draggable: "false",
      loading: "lazy",
      decoding: "async",
      src: this.#parts.imageUrl(image, this.generationId),
    });
    picture.addEventListener("error", () => picture.replaceWith(gone()), { once: true });
    return picture;
  }

  /** @param {RoundImage[]} images */
  #change(images) {
    this.#images = images;
    this.#refresh();
    this.#save();
  }

  #save() {
    void this.#saver.save(feedbackBody(this.generationId, this.#images));
  }

  #refresh() {
    for (const [position, { row, pick, reject }] of this.#rows.entries()) {
      const { verdict } = this.#images[position];
      row.dataset.verdict = verdict ?? "";
      pick.setAttribute("aria-pressed", String(verdict === "selected"));
      reject.setAttribute("aria-pressed", String(verdict === "rejected"));
    }
    this.rejectAll.setAttribute("aria-pressed", String(areAllRejected(this.#images)));
    // Not `disabled`: the button that was just pressed would lose the keyboard's focus.
    this.rejectRest.setAttribute("aria-disabled", String(!hasRest(this.#images)));
  }

  /**
   * @param {import("./verdict_saver.mjs").SavingState} state
   * @param {unknown} detail
   */
  #report(state, detail) {
    const { say } = this.#parts;
    this.status.dataset.state = state;
    this.retry.hidden = state !== "failed";
    if (state === "saving") this.status.textContent = say("saving");
    else if (state === "failed") {
      const reason = detail instanceof Error ? detail.message : String(detail);
      this.status.textContent = say("notSaved", { reason });
      if (!this.element.isConnected) this.#parts.lost(reason);
    } else {
      const body = feedbackBody(this.generationId, this.#images);
      const selected = body.selected_images.length;
      const rejected = body.rejected_images.length;
      this.status.textContent = say(selected + rejected > 0 ? "saved" : "savedNothing", {
        selected,
        rejected,
      });
    }
    this.#parts.resized();
  }
}
