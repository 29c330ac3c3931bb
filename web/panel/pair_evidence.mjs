// @ts-check
/** The verdicts behind a pair of keyword and checkpoint: the latest judged generations with both, and their images. */

import { formatTime } from "../components/columns.mjs";
import { RequestLine } from "../components/request_line.mjs";
import { element } from "../lib/dom.mjs";
import { generationFrom } from "../recorder/verdicts.mjs";

const MOST_EVIDENCE = 8;
/** Length of a prompt's excerpt, in characters. */
const EXCERPT_LENGTH = 160;

/**
 * @param {PanelOptions} options
 * @param {{ keyword: string, checkpoint: string }} pair
 */
export function pairEvidence(options, { keyword, checkpoint }) {
  const { t, server } = options;
  const request = new RequestLine(t);
  const list = element("ul", { class: "cc-evidence" });
  void request.send(
    () => server.generations({ keyword, checkpoint, judged: true, limit: MOST_EVIDENCE }),
    ({ generations }) => {
      list.replaceChildren(...generations.map((/** @type {Json} */ record) => item(record, checkpoint, options)));
      if (generations.length === 0) list.append(element("li", { text: t("evidenceNone") }));
    },
  );
  return element("div", {}, [
    element("p", { class: "cc-note", text: t("evidenceGenerations") }),
    request.element,
    list,
  ]);
}

/**
 * @param {Json} record
 * @param {string} checkpoint
 * @param {PanelOptions} options
 */
function item(record, checkpoint, { t, imageUrl }) {
  const { generationId, images } = generationFrom(record);
  const own = images.filter((image) => image.checkpoint === checkpoint);
  const kept = (/** @type {GalleryImage[]} */ some) => some.filter((image) => image.verdict === "selected").length;
  const numbers = { kept: kept(own), images: own.length, others: kept(images) - kept(own) };
  const files = imageUrl ? images.filter(({ filename }) => filename !== "") : [];
  const pictures = files.map((image) => {
    const whose = t(image.checkpoint === checkpoint ? "evidenceOwn" : "evidenceOther");
    const label = `${whose}: ${t(`evidence_${image.verdict ?? "none"}`)}`;
    const picture = element("img", {
      class: "cc-evidence-image",
      src: imageUrl?.(image, generationId),
      alt: label,
      title: label,
      loading: "lazy",
      "data-verdict": image.verdict ?? "",
    });
    picture.addEventListener("error", () => picture.remove(), { once: true });
    return picture;
  });
  return element("li", {}, [
    element("span", { text: `${formatTime(record.created_at, t)}: ${t("evidenceGeneration", numbers)}` }),
    element("bdi", { class: "cc-prompt", text: record.prompt.slice(0, EXCERPT_LENGTH) }),
    ...pictures,
  ]);
}
