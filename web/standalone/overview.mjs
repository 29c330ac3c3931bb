// @ts-check
/**
 * The page of `context-checkpoint serve`: what was learned so far, and what a prompt would get. It asks the same
 * routes as everybody else and holds no rule of its own.
 */

import { element } from "../elements.mjs";
import { percent } from "../plan.mjs";
import { Server } from "../server.mjs";

/** @typedef {Record<string, any>} Json */

const MOST_ROWS = 50;
const NUMBER = /^(\d+ %|–)$/;
const server = new Server((path, options) => fetch(path, options));

/** @param {string} id */
function place(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

/**
 * @param {string[]} titles
 * @param {(string | number)[][]} rows numbers are set to the right
 * @param {string} none what to say without rows
 */
function table(titles, rows, none) {
  if (rows.length === 0) return element("p", { class: "quiet", text: none });
  const numeric = rows[0].map((cell) => typeof cell === "number" || NUMBER.test(cell));
  const cell = (
    /** @type {"td" | "th"} */ tag,
    /** @type {string | number} */ value,
    /** @type {number} */ column,
  ) => element(tag, { text: String(value), class: numeric[column] ? "number" : undefined });
  return element("div", { class: "table" }, [
    element("table", {}, [
      element("thead", {}, [
        element(
          "tr",
          {},
          titles.map((title, column) => cell("th", title, column)),
        ),
      ]),
      element(
        "tbody",
        {},
        rows.map((row) =>
          element(
            "tr",
            {},
            row.map((value, column) => cell("td", value, column)),
          ),
        ),
      ),
    ]),
  ]);
}

async function showOverview() {
  const [health, statistics, latest] = await Promise.all([
    server.health(),
    server.statistics(MOST_ROWS),
    server.generations(10),
  ]);
  place("place").textContent = `Version ${health.version}, ${health.database}`;
  const counts = statistics.overview;
  place("message").textContent =
    counts.generations === 0
      ? "Nothing was learned yet. Run a workflow with the Feedback Recorder in ComfyUI and say which images you keep."
      : `${counts.judged} of ${counts.generations} rounds have a verdict: ${counts.selected} images kept, ` +
        `${counts.rejected} not.`;
  place("checkpoints").replaceChildren(checkpointTable(statistics.checkpoints));
  place("keywords").replaceChildren(pairTable(statistics.pairs));
  place("rounds").replaceChildren(roundTable(latest.generations));
}

/** @param {Json[]} rows */
function checkpointTable(rows) {
  return table(
    ["Checkpoint", "Kept", "Judged", "Share"],
    rows.map((row) => [row.checkpoint, row.selected, row.total, rate(row)]),
    "None yet.",
  );
}

/** @param {Json[]} rows */
function pairTable(rows) {
  return table(
    ["Keyword", "Checkpoint", "Kept", "Judged", "Share"],
    rows.map((row) => [row.keyword, row.checkpoint, row.selected, row.total, rate(row)]),
    "None yet.",
  );
}

/** @param {Json} row */
function rate(row) {
  return row.rate === null ? "–" : percent(row.rate);
}

/** @param {Json[]} generations */
function roundTable(generations) {
  return table(
    ["Made", "Prompt", "Kept", "Images", "Confidence"],
    generations.map((generation) => [
      new Date(generation.created_at).toLocaleString(),
      generation.prompt.slice(0, 200),
      generation.images.filter((/** @type {Json} */ image) => image.verdict === "selected").length,
      generation.images.length,
      percent(generation.confidence),
    ]),
    "None yet.",
  );
}

/** @param {SubmitEvent} event */
async function recommend(event) {
  event.preventDefault();
  const given = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
  const answer = place("recommendation");
  try {
    const plan = await server.recommend({
      prompt: String(given.get("prompt")),
      candidates: String(given.get("candidates"))
        .split("\n")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    });
    answer.textContent = `${plan.checkpoints.join(", ")} (${percent(plan.confidence)} sure). ${plan.explanation}`;
  } catch (error) {
    answer.textContent = error instanceof Error ? error.message : String(error);
  }
}

place("recommend").addEventListener("submit", recommend);
showOverview().catch((error) => {
  place("message").textContent = error instanceof Error ? error.message : String(error);
});
