// @ts-check
/**
 * Translates the texts of our own components into ComfyUI's language. The texts are those of `locales/`, which ComfyUI
 * serves at `/i18n` and `context-checkpoint serve` as files. A missing translation stays English.
 */

/** @typedef {(path: string) => Promise<Response>} Fetch */

/**
 * @param {Record<string, string>} [texts]
 * @returns {Translate} a key without a text is returned as it is
 */
export function translator(texts = {}) {
  /** @type {Translate} */
  const t = (key, values = {}) =>
    (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? textOf(values[name]) : whole));

  /**
   * @param {any} value a text, an error, or the parts of a message
   * @returns {string}
   */
  const textOf = (value) => {
    if (value instanceof Error) return "parts" in value ? textOf(value.parts) : value.message;
    if (!Array.isArray(value)) return String(value);
    return value
      .map(({ text, key, values }) => (texts[`message_${key}`] === undefined ? text : t(`message_${key}`, values)))
      .join("");
  };
  return t;
}

/**
 * The text of an error, or of the parts of a message, in the person's language.
 *
 * @param {Translate} t
 * @param {unknown} value
 */
export function messageText(t, value) {
  return t("{message}", { message: value });
}

/**
 * The locale for dates: that of the person's own country, where the browser knows it.
 *
 * @param {Translate} t
 */
export function localeOf(t) {
  const language = t("locale");
  return navigator.languages.find((own) => own.split("-")[0] === language.split("-")[0]) ?? language;
}

/**
 * The translator for ComfyUI's page.
 *
 * @param {Fetch} fetchApi
 * @param {string} language value of ComfyUI's setting `Comfy.Locale`, for example "ja" or "zh"
 * @returns {Promise<Translate>}
 */
export async function comfyTranslator(fetchApi, language) {
  try {
    const response = await fetchApi("/i18n");
    const all = await response.json();
    return translator({ ...flatTexts(all.en), ...flatTexts(all[language] ?? all[language.split("-")[0]]) });
  } catch {
    return translator(); // ComfyUI has no texts of its own then either
  }
}

/**
 * The translator for the standalone page, from the files.
 *
 * @param {Fetch} fetchFile
 * @param {readonly string[]} languages in the browser's order of preference, for example ["ja-JP", "en"]
 * @returns {Promise<{ t: Translate, language: string }>}
 */
export async function fileTranslator(fetchFile, languages) {
  const english = textsOf(fetchFile, "en");
  for (const language of languages.map((preferred) => preferred.toLowerCase().split("-")[0])) {
    const texts = await (language === "en" ? english : textsOf(fetchFile, language));
    if (texts) return { t: translator({ ...(await english), ...texts }), language };
  }
  return { t: translator((await english) ?? {}), language: "en" };
}

/**
 * @param {Fetch} fetchFile
 * @param {string} language
 */
async function textsOf(fetchFile, language) {
  try {
    const responses = await Promise.all(
      ["main", "settings"].map((file) => fetchFile(`/locales/${language}/${file}.json`)),
    );
    if (!responses.every(({ ok }) => ok)) return null;
    const [main, settings] = await Promise.all(responses.map((response) => response.json()));
    return flatTexts({ ...main, settings });
  } catch {
    return null;
  }
}

/**
 * Our own texts by their keys, and those of the settings by their ids: `ContextCheckpoint_Policy.name`.
 *
 * @param {any} translated one language of `/i18n`
 * @returns {Record<string, string>}
 */
function flatTexts(translated) {
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
