// @ts-check
/**
 * The runs that wait for a pick, whatever queued them: asks the server which, tells those who show them, and answers.
 */

import { generationFrom } from "./verdicts.mjs";

export class WaitingRuns {
  #server;
  /** @type {Set<(picks: WaitingPick[]) => void>} */
  #listeners = new Set();

  /** @param {Server} server */
  constructor(server) {
    this.#server = server;
  }

  /**
   * @param {(picks: WaitingPick[]) => void} listener called after each update, the longest waiting first
   * @returns {() => void} stops the calls
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called whenever they may have changed, since ComfyUI does not send events again that a page has missed. */
  async update() {
    try {
      const { pending } = await this.#server.pending();
      for (const listener of this.#listeners) listener(pending);
    } catch {
      // The connection is lost: after `reconnected` this is called again.
    }
  }

  /**
   * @param {WaitingPick} pick
   * @returns {Promise<Generation[]>} its generations, with the verdicts that were given before a reload
   */
  generations(pick) {
    return Promise.all(
      pick.rounds.map(async (pending) => {
        const id = pending.generation_id;
        return generationFrom(id ? await this.#server.generation(id).catch(() => pending) : pending);
      }),
    );
  }

  /**
   * @param {string} pickId
   * @param {object} body
   */
  async answer(pickId, body) {
    try {
      await this.#server.answerPick(pickId, body);
    } finally {
      void this.update();
    }
  }
}
