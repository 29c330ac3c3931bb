// @ts-check
/**
 * The words our own components show, in the language ComfyUI is set to.
 *
 * The English ones here are what `locales/en/main.json` says under `contextCheckpoint` (a test holds them
 * equal); the other languages come from ComfyUI's `/i18n`, which serves every pack's `locales/`.
 */

import { PANEL_ENGLISH } from "./panel/texts.mjs";

/** @type {Record<string, string>} */
export const ENGLISH = {
  ...PANEL_ENGLISH,
  pick: "Pick",
  reject: "Reject",
  pickImage: "Pick image {number}, made by {checkpoint}",
  rejectImage: "Reject image {number}, made by {checkpoint}",
  rejectAll: "Reject all",
  rejectRest: "Reject the rest",
  imageBy: "Image {number}, made by {checkpoint}",
  imageGone: "no preview",
  images: "Images of this run",
  nothingYet: "Run the workflow: its images are listed here, to pick and to reject.",
  notLogged: "This run was not logged, so nothing can be learned from it.",
  saving: "Saving…",
  saved: "Saved: {selected} picked, {rejected} rejected.",
  savedNothing: "Saved: no verdict, so this run teaches nothing.",
  notSaved: "Not saved: {reason}",
  verdictLost: "A verdict on an earlier run was not saved",
  tryAgain: "Try again",
  undo: "Undo",
  compare: "Compare",
  zoom: "Image in full size",
  close: "Close",
  flip: "Flip",
  sideBySide: "Side by side",
  imageBlind: "Image {number}",
  pickBlind: "Pick image {number}",
  rejectBlind: "Reject image {number}",
  hidden: "hidden until judged",
  keys: "Keys: arrows move, 1 to 9 or Enter pick, O picks only this one, X rejects, U undoes, Space shows in full size, C compares, Esc leaves",
  zoomKeys: "Arrows: other images · Enter: pick · X: reject · U: undo · Space: close",
  compareKeys: "F: flip · C: side by side · 1, 2: pick · arrows: other image · U: undo",
  waits: "The workflow waits for your pick",
  waitsUntil: "It goes on by itself at {time}.",
  continue: "Continue",
  sendAll: "Send all on",
  pickFirst: "Pick or reject an image first.",
  goesOn: "The workflow goes on…",
  notAnswered: "The workflow could not be told: {reason}",
  notRecalled: "The last run could not be shown again: {reason}",
  noPlanYet: "Run the workflow: the plan is shown here.",
  planned: "Checkpoints, best first",
  strategy_exploit: "The best known checkpoint alone",
  strategy_exploit_explore: "Fairly sure: {count} checkpoints, most images from the first",
  strategy_explore: "Still finding out: {count} checkpoints, equally many images each",
  strategy_explore_one: "Still finding out, with the only checkpoint of the pool",
  strategy_fallback: "Not learned: the fallback is used",
  confidence: "Confidence",
  evidence: "Evidence",
  clarity: "Clarity",
  confidenceHelp: "How sure it is that the first checkpoint is the best for this prompt",
  evidenceHelp: "How much data there is for prompts like this one",
  clarityHelp: "How clearly one checkpoint wins on that data",
  released: "Kept loaders released",
  releasedDetail: "The checkpoints they held leave memory as soon as ComfyUI needs it.",
  notReleased: "The kept loaders could not be released",
  settingNotSaved: "The setting was not saved",
};

/** @typedef {(key: string, values?: Record<string, string | number>) => string} Say */

/**
 * @param {Record<string, string>} [translated] texts of the person's language; missing ones stay English
 * @returns {Say}
 */
export function speaker(translated = {}) {
  return (key, values = {}) => {
    const pattern = translated[key] ?? ENGLISH[key] ?? key;
    return pattern.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  };
}

/**
 * @param {(path: string) => Promise<Response>} fetchApi
 * @param {string} language as ComfyUI's setting `Comfy.Locale` has it, for example "ja" or "zh"
 * @returns {Promise<Say>}
 */
export async function speakerFor(fetchApi, language) {
  if (language === "en") return speaker();
  try {
    const answer = await fetchApi("/i18n");
    const all = await answer.json();
    return speaker(flat(all[language] ?? all[language.split("-")[0]]));
  } catch {
    return speaker();
  }
}

/**
 * The same without a ComfyUI, straight from the files.
 *
 * @param {(path: string) => Promise<Response>} fetchFile
 * @param {readonly string[]} languages as the browser prefers them, for example ["ja-JP", "en"]
 * @returns {Promise<{ say: Say, language: string }>}
 */
export async function speakerFrom(fetchFile, languages) {
  for (const language of languages.map((one) => one.toLowerCase().split("-")[0])) {
    if (language === "en") break;
    try {
      const answers = await Promise.all(
        ["main", "settings"].map((file) => fetchFile(`/locales/${language}/${file}.json`)),
      );
      if (!answers.every(({ ok }) => ok)) continue;
      const [main, settings] = await Promise.all(answers.map((answer) => answer.json()));
      return { say: speaker(flat({ ...main, settings })), language };
    } catch {
      break; // no server: the page will tell of it
    }
  }
  return { say: speaker(), language: "en" };
}

/**
 * Our own words, and those of the settings by their ids: `ContextCheckpoint_Policy.name`.
 *
 * @param {any} translated one language of `/i18n`
 * @returns {Record<string, string>}
 */
function flat(translated) {
  const settings = Object.entries(translated?.settings ?? {}).filter(([id]) =>
    id.startsWith("ContextCheckpoint_"),
  );
  return {
    ...translated?.contextCheckpoint,
    ...Object.fromEntries(
      settings.flatMap(([id, { name, tooltip }]) => [
        [`${id}.name`, name],
        [`${id}.tooltip`, tooltip],
      ]),
    ),
  };
}
