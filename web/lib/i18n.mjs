// @ts-check
/**
 * The words our own components show, in the language ComfyUI is set to: those of `locales/`, which ComfyUI serves
 * at `/i18n` and the page of `context-checkpoint serve` as they lie there. What is not translated stays English.
 */

/** @typedef {(path: string) => Promise<Response>} Fetch */

/**
 * @param {Record<string, string>} [texts]
 * @returns {Say} a key without a text is said as it is
 */
export function speaker(texts = {}) {
  /** @type {Say} */
  const say = (key, values = {}) =>
    (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? told(values[name]) : whole));

  /**
   * @param {any} value
   * @returns {string}
   */
  const told = (value) => {
    if (value instanceof Error) return "parts" in value ? told(value.parts) : value.message;
    if (!Array.isArray(value)) return String(value);
    return value
      .map(({ text, key, values }) => (texts[`message_${key}`] === undefined ? text : say(`message_${key}`, values)))
      .join("");
  };
  return say;
}

/**
 * How dates are written beside these words: as in the person's own country, where the browser knows it.
 *
 * @param {Say} say
 */
export function localeOf(say) {
  const language = say("locale");
  return navigator.languages.find((own) => own.split("-")[0] === language.split("-")[0]) ?? language;
}

/**
 * @param {Fetch} fetchApi
 * @param {string} language as ComfyUI's setting `Comfy.Locale` has it, for example "ja" or "zh"
 * @returns {Promise<Say>}
 */
export async function speakerFor(fetchApi, language) {
  try {
    const answer = await fetchApi("/i18n");
    const all = await answer.json();
    return speaker({ ...flat(all.en), ...flat(all[language] ?? all[language.split("-")[0]]) });
  } catch {
    return speaker(); // ComfyUI has lost its own words too
  }
}

/**
 * The same without a ComfyUI, straight from the files.
 *
 * @param {Fetch} fetchFile
 * @param {readonly string[]} languages as the browser prefers them, for example ["ja-JP", "en"]
 * @returns {Promise<{ say: Say, language: string }>}
 */
export async function speakerFrom(fetchFile, languages) {
  const english = textsOf(fetchFile, "en");
  for (const language of languages.map((one) => one.toLowerCase().split("-")[0])) {
    const texts = await (language === "en" ? english : textsOf(fetchFile, language));
    if (texts) return { say: speaker({ ...(await english), ...texts }), language };
  }
  return { say: speaker((await english) ?? {}), language: "en" };
}

/**
 * @param {Fetch} fetchFile
 * @param {string} language
 */
async function textsOf(fetchFile, language) {
  try {
    const answers = await Promise.all(
      ["main", "settings"].map((file) => fetchFile(`/locales/${language}/${file}.json`)),
    );
    if (!answers.every(({ ok }) => ok)) return null;
    const [main, settings] = await Promise.all(answers.map((answer) => answer.json()));
    return flat({ ...main, settings });
  } catch {
    return null;
  }
}

/**
 * Our own words, and those of the settings by their ids: `ContextCheckpoint_Policy.name`.
 *
 * @param {any} translated one language of `/i18n`
 * @returns {Record<string, string>}
 */
function flat(translated) {
  const settings = Object.entries(translated?.settings ?? {}).filter(([id]) => id.startsWith("ContextCheckpoint_"));
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
