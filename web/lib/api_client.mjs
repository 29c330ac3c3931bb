// @ts-check
/**
 * The routes under `/context_checkpoint`, as functions. The only module that knows their paths and their error format;
 * `fetchApi` is passed in, because the standalone page and the tests have their own.
 */

/** @typedef {(path: string, options?: RequestInit) => Promise<Response>} FetchApi */
/** @typedef {Record<string, string | number | boolean | string[] | undefined>} Query undefined values are left out */

/** A failed request, with the server's own message. */
export class ServerError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 where there was no response
   * @param {string} [code] the error's stable code, or "" where the response had none
   * @param {Json[]} [parts] of the message, for its translation
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
   * @param {(path: string) => string} [urlOf] the URL of a path, for links
   */
  constructor(fetchApi, urlOf = (path) => path) {
    this.#fetchApi = fetchApi;
    this.#urlOf = urlOf;
  }

  /** @returns {Promise<Json>} what models there are */
  start() {
    return this.#request("start");
  }

  /** @returns {Promise<Json>} how many image files there are */
  startImages() {
    return this.#request("start/images");
  }

  /** @param {object} body see `feedbackBody` */
  sendFeedback(body) {
    return this.#post("feedback", body);
  }

  /**
   * @param {string} generation_id
   * @param {string} note the person's own text; an empty one takes it away
   */
  setNote(generation_id, note) {
    return this.#post("generations/note", { generation_id, note });
  }

  /**
   * @param {string} generationId
   * @returns {Promise<Json>}
   */
  async generation(generationId) {
    const { generations } = await this.#request(`generations?id=${encodeURIComponent(generationId)}`);
    return generations[0];
  }

  /**
   * @param {Query} query
   * @returns {Promise<Json>} newest first
   */
  generations(query) {
    return this.#request(`generations${queryString(query)}`);
  }

  /** @param {Query} query */
  statistics(query) {
    return this.#request(`statistics${queryString(query)}`);
  }

  /** What was learned, and its course over time in as many points as fit a sidebar's width. */
  overview() {
    return this.statistics({ parts: ["overview", "series"], points: 60 });
  }

  checkpoints() {
    return this.#request("checkpoints");
  }

  /** @param {string} checkpoint its settings, and the samplers that there are */
  profiles(checkpoint) {
    return this.#request(`profiles${queryString({ checkpoint })}`);
  }

  /** @param {object} change `{ checkpoint, settings, clear }`; null takes a setting back */
  setProfile(change) {
    return this.#post("profiles", change);
  }

  health() {
    return this.#request("health");
  }

  /** @param {object} body the prompt and its candidates */
  recommend(body) {
    return this.#post("recommend", body);
  }

  /** @param {object} body the prompt; without ComfyUI, the LoRAs that are available too */
  recommendLoras(body) {
    return this.#post("recommend/loras", body);
  }

  /** @param {object} body the prompt, and its candidates or the rules of a pool */
  explain(body) {
    return this.#post("explain", body);
  }

  /** @param {object} body the prompt, and its negative prompt so far */
  suggestNegative(body) {
    return this.#post("suggest/negative", body);
  }

  /**
   * @param {object} prompt in API form
   * @param {string} loader a node's id in it
   * @returns {Promise<GraphReading>}
   */
  graph(prompt, loader) {
    return /** @type {Promise<any>} */ (this.#post("graph", { prompt, loader }));
  }

  /** @returns {Promise<Json>} the runs that wait for a pick */
  pending() {
    return this.#request("pending");
  }

  /**
   * @param {string} pickId
   * @param {object} body see `pickBody`
   */
  answerPick(pickId, body) {
    return this.#post(`pending/${encodeURIComponent(pickId)}`, body);
  }

  settings() {
    return this.#request("settings");
  }

  /** @param {object} changes only the settings that change */
  changeSettings(changes) {
    return this.#post("settings", changes);
  }

  /** @param {string} path of a file, see `exportPath` and `csvPath` */
  fileUrl(path) {
    return this.#urlOf(path);
  }

  /** @param {string} path */
  async file(path) {
    const response = await this.#fetchApi(path);
    if (!response.ok) throw new ServerError(`HTTP ${response.status}`, response.status);
    return response.blob();
  }

  /** @param {Blob} lines of an export */
  importLines(lines) {
    return this.#request("import", {
      method: "POST",
      headers: { "Content-Type": "application/jsonl" },
      body: lines,
    });
  }

  /**
   * Delete for good, in the database and in every copy of it.
   *
   * @param {object} selection `{ generation_id }`, `{ prompts: true }` or `{ everything: true }`
   */
  forget(selection) {
    return this.#post("forget", selection);
  }

  /** @param {object} body the folder, and whether it is a dry run */
  startImageImport(body) {
    return this.#post("images/import", body);
  }

  /** @param {string} id */
  imageImport(id) {
    return this.#request(`images/import/${encodeURIComponent(id)}`);
  }

  /** @param {string} id */
  cancelImageImport(id) {
    return this.#request(`images/import/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  imageImports() {
    return this.#request("images/imports");
  }

  /** @param {string} name */
  undoImageImport(name) {
    return this.#request(`images/imports/${encodeURIComponent(name)}`, { method: "DELETE" });
  }

  adopted() {
    return this.#request("adopt");
  }

  /** @param {object} body `{ name, file }`, the content of a file that somebody shared */
  adopt(body) {
    return this.#post("adopt", body);
  }

  /** @param {string} name */
  removeAdopted(name) {
    return this.#request(`adopt/${encodeURIComponent(name)}`, { method: "DELETE" });
  }

  releaseLoaders() {
    return this.#post("loaders/release", {});
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  #post(path, body) {
    return this.#request(path, {
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
  async #request(path, options) {
    /** @type {Response} */
    let response;
    try {
      response = await this.#fetchApi(`/context_checkpoint/${path}`, options);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new ServerError(text, 0, "", [{ text, key: "no_answer" }]);
    }
    const content = await response.json().catch(() => null);
    if (response.ok && content !== null) return content;
    const failure = content?.error;
    throw new ServerError(
      failure?.message ?? `HTTP ${response.status} ${response.statusText}`.trim(),
      response.status,
      failure?.code,
      failure?.parts,
    );
  }
}

/** @param {boolean} anonymous without prompts, image names, sessions and seeds */
export const exportPath = (anonymous) => `/context_checkpoint/export${anonymous ? "?anonymous=true" : ""}`;

/** @param {string} search a part of the keyword or of the checkpoint's name */
export const csvPath = (search) => `/context_checkpoint/statistics.csv${queryString({ search: search || undefined })}`;

/** @param {Query} query */
function queryString(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const single of Array.isArray(value) ? value : [value]) parameters.append(name, String(single));
  }
  return `?${parameters}`;
}
