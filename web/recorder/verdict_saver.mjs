// @ts-check
/**
 * Sends verdicts one after another, so that the server ends up with the last one.
 *
 * Two requests at once could be handled in either order, and the older could win. While one is under way only the newest
 * verdict waits: those in between are out of date.
 */

/** @typedef {"saving" | "saved" | "failed"} SavingState */

export class VerdictSaver {
  /** @type {object | null} */
  #waiting = null;
  #busy = false;
  #send;
  #report;

  /**
   * @param {(body: object) => Promise<unknown>} send rejects if the verdict was not accepted
   * @param {(state: SavingState, detail: unknown) => void} report called at each change; `detail` is the
   *   server's response or the error
   */
  constructor(send, report) {
    this.#send = send;
    this.#report = report;
  }

  /** @param {object} body the whole current verdict */
  async save(body) {
    this.#waiting = body;
    if (this.#busy) return;
    this.#busy = true;
    this.#report("saving", null);
    while (this.#waiting) {
      const next = this.#waiting;
      this.#waiting = null;
      try {
        const response = await this.#send(next);
        if (!this.#waiting) this.#report("saved", response);
      } catch (error) {
        if (!this.#waiting) this.#report("failed", error);
      }
    }
    this.#busy = false;
  }
}
