// @ts-check
/**
 * The routes under `/context_checkpoint`, as functions. The only module that knows their paths and their error
 * envelope; `fetchApi` is handed in, because the standalone page and the tests have their own.
 */

/** @typedef {(path: string, options?: RequestInit) => Promise<Response>} FetchApi */
/** @typedef {Record<string, string | number | boolean | string[] | undefined>} Query undefined: not asked */

/** An answer that says no, in the server's own words. */
export class ServerError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 where no answer came at all
   * @param {string} [code] the envelope's stable code, or "" where there was no envelope
   * @param {Json[]} [parts] of the message, for other languages
   */
  constructor(message, status, code = "", parts = [{ text: message }]) {
    super(message);
    this.name = "ServerError";
    this.status = status;
    this.code = code;
    this.parts = parts;
  }
}

export class Server {
  #fetchApi;
  #urlOf;

  /**
   * @param {FetchApi} fetchApi
   * @param {(path: string) => string} [urlOf] where a link leads that `fetchApi` would ask
   */
  constructor(fetchApi, urlOf = (path) => path) {
    this.#fetchApi = fetchApi;
    this.#urlOf = urlOf;
  }

  /** @param {object} body see `feedbackBody` */
  sendFeedback(body) {
    return this.#post("feedback", body);
  }

  /**
   * @param {string} generationId
   * @returns {Promise<Json>}
   */
  async generation(generationId) {
    const { generations } = await this.#ask(`generations?id=${encodeURIComponent(generationId)}`);
    return generations[0];
  }

  /**
   * @param {Query} query
   * @returns {Promise<Json>} newest first
   */
  generations(query) {
    return this.#ask(`generations${written(query)}`);
  }

  /** @param {Query} query */
  statistics(query) {
    return this.#ask(`statistics${written(query)}`);
  }

  /** What was learned, and how it went, in as many points as fit a sidebar's width. */
  overview() {
    return this.statistics({ parts: ["overview", "series"], points: 60 });
  }

  checkpoints() {
    return this.#ask("checkpoints");
  }

  health() {
    return this.#ask("health");
  }

  /** @param {object} body the prompt and its candidates */
  recommend(body) {
    return this.#post("recommend", body);
  }

  /** @param {object} body the prompt, and its candidates or the rules of a pool */
  explain(body) {
    return this.#post("explain", body);
  }

  /** @returns {Promise<Json>} the runs that wait for a pick */
  pending() {
    return this.#ask("pending");
  }

  /**
   * @param {string} pickId
   * @param {object} body see `pickedOver`
   */
  answerPick(pickId, body) {
    return this.#post(`pending/${encodeURIComponent(pickId)}`, body);
  }

  settings() {
    return this.#ask("settings");
  }

  /** @param {object} changes only the settings that change */
  changeSettings(changes) {
    return this.#post("settings", changes);
  }

  /** @param {boolean} anonymous without prompts, names of images, sessions and seeds */
  exportUrl(anonymous) {
    return this.#urlOf(exportPath(anonymous));
  }

  /** @param {boolean} anonymous */
  async exported(anonymous) {
    const response = await this.#fetchApi(exportPath(anonymous));
    if (!response.ok) throw new ServerError(`HTTP ${response.status}`, response.status);
    return response.blob();
  }

  /** @param {Blob} lines of an export */
  importLines(lines) {
    return this.#ask("import", {
      method: "POST",
      headers: { "Content-Type": "application/jsonl" },
      body: lines,
    });
  }

  /**
   * For good: what is named, in the database and in every copy of it.
   *
   * @param {object} what `{ generation_id }`, `{ prompts: true }` or `{ everything: true }`
   */
  forget(what) {
    return this.#post("forget", what);
  }

  releaseLoaders() {
    return this.#post("loaders/release", {});
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  #post(path, body) {
    return this.#ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Json>}
   */
  async #ask(path, options) {
    /** @type {Response} */
    let response;
    try {
      response = await this.#fetchApi(`/context_checkpoint/${path}`, options);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new ServerError(text, 0, "", [{ text, key: "no_answer" }]);
    }
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer;
    const told = answer?.error;
    throw new ServerError(
      told?.message ?? `HTTP ${response.status} ${response.statusText}`.trim(),
      response.status,
      told?.code,
      told?.parts,
    );
  }
}

/** @param {boolean} anonymous */
const exportPath = (anonymous) => `/context_checkpoint/export${anonymous ? "?anonymous=true" : ""}`;

/** @param {Query} query */
function written(query) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) told.append(name, String(one));
  }
  return `?${told}`;
}
