// @ts-check
/**
 * The extension: hangs the pack's components into ComfyUI's frontend. ComfyUI imports this file by itself (as it
 * does every `.js` here); whatever can be told without ComfyUI is in the `.mjs` modules beside it.
 */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { valuesOf } from "./comfy/graph_reading.mjs";
import { addDisplay, allNodes, hook, nodeById, nodePlace } from "./comfy/node_display.mjs";
import { Remembered } from "./comfy/remembered.mjs";
import { BLIND, SettingsMirror } from "./comfy/settings.mjs";
import { isLoader, makesImages, recommendFor, recordFor } from "./comfy/wiring.mjs";
import { Server } from "./lib/api_client.mjs";
import { speaker, speakerFor } from "./lib/i18n.mjs";
import { SIDEBAR_TAB, sidebarTab } from "./panel/sidebar.mjs";
import { PlanView } from "./recommender/plan_view.mjs";
import { explainBody, recommendBody } from "./recommender/recommender_values.mjs";
import { RoundList } from "./recorder/round_list.mjs";
import { roundFrom } from "./recorder/verdicts.mjs";

/** Keys of the nodes' `ui` outputs. */
const ROUNDS_KEY = "context_checkpoint";
const PLANS_KEY = "context_checkpoint_plan";
/** Sent by the server when a run begins or ends to wait for a pick. */
const PENDING_CHANGED = "context_checkpoint.pending";

/** Sent by the server before what it says in English. */
const TOLD = "context_checkpoint.told";

/** Widgets that ComfyUI itself changes with every run: nobody asks by them what would be picked. */
const SET_BY_QUEUEING = ["seed", "control_after_generate"];

const server = new Server(
  (path, options) => api.fetchApi(path, options),
  (path) => api.apiURL(path),
);
const shownRounds = new Remembered(window.localStorage, "rounds");
const shownPlans = new Remembered(window.localStorage, "plans");
let say = speaker();

/** @type {WeakMap<ComfyNode, RoundList>} */
const recorders = new WeakMap();
/** @type {WeakMap<ComfyNode, PlanView>} */
const recommenders = new WeakMap();

const settings = new SettingsMirror(server, () => ({
  set: (id, value) => app.extensionManager.setting.set(id, value),
  warn: (error) => toast("warn", say("settingNotSaved"), error),
}));

/**
 * @param {"success" | "warn" | "error"} severity
 * @param {string} summary
 * @param {unknown} [detail] a text, or an error
 */
function toast(severity, summary, detail) {
  const told = detail === undefined ? detail : say("{it}", { it: detail });
  app.extensionManager.toast.add({
    severity,
    summary,
    detail: told,
    life: severity === "error" ? 20_000 : 6_000,
  });
}

async function releaseLoaders() {
  try {
    await server.releaseLoaders();
    toast("success", say("released"), say("releasedDetail"));
  } catch (error) {
    toast("error", say("notReleased"), error);
  }
}

/**
 * @param {RoundImage} image
 * @param {string} generationId keeps the browser from showing an older image that had the same file name
 * @param {boolean} [full] as it is, and not made small for the network
 */
function imageUrl(image, generationId, full = false) {
  const { filename, subfolder, type } = image;
  const query = new URLSearchParams({ filename, subfolder, type, of: generationId });
  if (!full) query.set("preview", "jpeg;80");
  return api.apiURL(`/view?${query}`);
}

function isBlind() {
  return app.extensionManager.setting.get(BLIND.id) === true;
}

/** @param {unknown} error */
function verdictLost(error) {
  toast("error", say("verdictLost"), error);
}

/** @param {object} changes */
async function changeSettings(changes) {
  const held = await server.changeSettings(changes);
  await settings.read(); // ComfyUI's own dialog shows them too
  return held;
}

/** @param {ComfyNode} node */
function addRoundList(node) {
  let resized = () => {};
  const list = new RoundList({
    say,
    save: (body) => server.sendFeedback(body),
    imageUrl,
    answer: answerPick,
    blind: isBlind,
    lost: verdictLost,
    resized: () => resized(),
  });
  resized = addDisplay(node, "context_checkpoint_images", list.element);
  recorders.set(node, list);
  hook(node, "onExecuted", (output) => {
    if (!output[ROUNDS_KEY]) return;
    list.show(output[ROUNDS_KEY].map(roundFrom));
    shownRounds.remember(nodePlace(node), list.generationIds);
  });
}

/** @param {ComfyNode} node */
function addPlanView(node) {
  let resized = () => {};
  const values = () => {
    const set = valuesOf(node);
    if (!set) throw new Error(say("promptConnected"));
    return set;
  };
  const view = new PlanView({
    say,
    resized: () => resized(),
    preview: async () => server.recommend(recommendBody(values())),
    explain: async () => server.explain(explainBody(values())),
  });
  for (const widget of node.widgets ?? []) {
    if (SET_BY_QUEUEING.includes(widget.name)) continue;
    const before = widget.callback;
    widget.callback = function (...given) {
      const answer = before?.apply(this, given);
      if (valuesOf(node)) view.previewSoon();
      return answer;
    };
  }
  resized = addDisplay(node, "context_checkpoint_plan", view.element);
  hook(node, "onRemoved", () => view.close());
  recommenders.set(node, view);
  hook(node, "onExecuted", (output) => {
    if (!output[PLANS_KEY]) return;
    view.show(output[PLANS_KEY]);
    shownPlans.remember(nodePlace(node), output[PLANS_KEY]);
  });
}

/**
 * Show generations as the server holds them now: what a replayed output says of verdicts may be out of date.
 *
 * @param {RoundList} list
 * @param {string[]} generationIds
 */
async function showAgain(list, generationIds) {
  const shown = String(list.generationIds);
  if (generationIds.length === 0 || String(generationIds) === shown) return;
  // A run that ended in the meantime is newer than what was asked for.
  const overtaken = () => String(list.generationIds) !== shown;
  try {
    const records = await Promise.all(generationIds.map((id) => server.generation(id)));
    if (!overtaken()) list.show(records.map(roundFrom));
  } catch (error) {
    if (!overtaken()) list.showNotRecalled(error);
  }
}

/**
 * Let every recorder know whether its workflow waits; the one place that decides it, asked whenever that may have
 * changed, since ComfyUI does not send events again that a page has missed.
 */
async function lookForPending() {
  /** @type {any[]} */
  let pending;
  try {
    ({ pending } = await server.pending());
  } catch {
    return; // the connection is lost: `reconnected` asks again
  }
  for (const node of allNodes(app.rootGraph)) {
    const list = recorders.get(node);
    if (!list) continue;
    const pick = pending.find((waiting) => waitsAt(waiting, node));
    if (!pick) list.waitNoMore();
    else if (list.waitsFor !== pick.id) await showWaiting(list, node, pick);
  }
}

/**
 * @param {any} pick
 * @param {ComfyNode} node
 */
function waitsAt(pick, node) {
  const here = pick.workflow_id === app.rootGraph.id;
  return here && nodeById(app.rootGraph, pick.node_id) === node;
}

/**
 * @param {RoundList} list
 * @param {ComfyNode} node
 * @param {any} pick
 */
async function showWaiting(list, node, pick) {
  const rounds = await Promise.all(
    pick.rounds.map(async (/** @type {any} */ part) =>
      // What was said of it before a reload is the server's to tell.
      roundFrom(part.generation_id ? await server.generation(part.generation_id).catch(() => part) : part),
    ),
  );
  list.wait(pick, rounds);
  shownRounds.remember(nodePlace(node), list.generationIds);
}

/**
 * @param {string} pickId
 * @param {object} body
 */
async function answerPick(pickId, body) {
  try {
    await server.answerPick(pickId, body);
  } finally {
    void lookForPending();
  }
}

/**
 * Errors of nodes, and notes on them, are ComfyUI's to show, in the words they came with. Parts of ours come before
 * them, and the words are changed before ComfyUI hears of them.
 */
function translateWhatNodesSay() {
  /** @type {any} */
  let told;
  /**
   * @param {any} said
   * @param {string} field
   */
  const translate = (said, field) => {
    if (said[field]?.trim() !== told?.text) return false;
    said[field] = say("{it}", { it: told.parts });
    return true;
  };
  api.addCustomEventListener(TOLD, ({ detail }) => {
    told = detail;
  });
  const first = { capture: true };
  api.addEventListener("progress_text", ({ detail }) => translate(detail, "text"), first);
  const failed = (/** @type {CustomEvent} */ { detail }) => {
    // What to do about it stands deep in ComfyUI's report.
    if (translate(detail, "exception_message")) toast("error", say("stopped"), detail.exception_message);
  };
  api.addEventListener("execution_error", failed, first);
}

/** @param {ComfyNode} loader */
function recommend(loader) {
  wire(() => {
    const { withPrompt } = recommendFor(loader, createNode);
    toast(
      withPrompt ? "success" : "warn",
      say("recommendedForLoader"),
      say(withPrompt ? "recommendedWithPrompt" : "recommendedNoPrompt"),
    );
  });
}

/** @param {ComfyNode} node */
function record(node) {
  wire(() => {
    const { complete } = recordFor(node, createNode);
    toast(complete ? "success" : "warn", say("recordedOutput"), complete ? undefined : say("recordedNeedsPlan"));
  });
}

/** @param {string} type */
function createNode(type) {
  return window.LiteGraph.createNode(type);
}

/** @param {() => void} change */
function wire(change) {
  try {
    change();
  } catch (error) {
    toast("error", say("notWired", { reason: error }));
  }
}

app.registerExtension({
  name: "ContextCheckpoint",

  settings: settings.definitions(),

  commands: [
    {
      id: "ContextCheckpoint.TogglePanel",
      label: "Context Checkpoint: show or hide the panel",
      menubarLabel: "Show or hide the panel",
      icon: "pi pi-chart-line",
      function: () => app.extensionManager.command.execute(`Workspace.ToggleSidebarTab.${SIDEBAR_TAB}`),
    },
    {
      id: "ContextCheckpoint.ReleaseLoaders",
      label: "Context Checkpoint: release kept loaders",
      menubarLabel: "Release kept loaders",
      icon: "pi pi-eject",
      function: releaseLoaders,
    },
  ],

  menuCommands: [
    {
      path: ["Context Checkpoint"],
      commands: ["ContextCheckpoint.TogglePanel", "ContextCheckpoint.ReleaseLoaders"],
    },
  ],

  keybindings: [{ commandId: "ContextCheckpoint.TogglePanel", combo: { key: "c", alt: true, shift: true } }],

  async init() {
    say = await speakerFor((path) => api.fetchApi(path), app.extensionManager.setting.get("Comfy.Locale") ?? "en");
    for (const file of ["./context_checkpoint.css", "./panel/panel.css"]) {
      const sheet = document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = new URL(file, import.meta.url).href;
      document.head.append(sheet);
    }
  },

  async setup() {
    translateWhatNodesSay();
    api.addCustomEventListener(PENDING_CHANGED, () => void lookForPending());
    api.addEventListener("reconnected", () => void lookForPending());
    app.extensionManager.registerSidebarTab(
      sidebarTab({
        say,
        server,
        imageUrl,
        blind: isBlind,
        changeSettings,
        releaseLoaders: () => void releaseLoaders(),
        confirm: async (title, message) =>
          (await app.extensionManager.dialog.confirm({ title, message, type: "delete" })) === true,
        lost: verdictLost,
      }),
    );
    await settings.read();
  },

  nodeCreated(node) {
    if (node.comfyClass === "FeedbackRecorder") addRoundList(node);
    if (node.comfyClass === "ContextCheckpointRecommender") addPlanView(node);
  },

  getNodeMenuItems(node) {
    return [
      isLoader(node) ? { content: say("recommendForLoader"), callback: () => recommend(node) } : null,
      makesImages(node) ? { content: say("recordOutput"), callback: () => record(node) } : null,
    ].filter((item) => item !== null);
  },

  /** After a reload: ComfyUI itself forgets outputs then, and does not send again what it has in its cache. */
  afterConfigureGraph() {
    for (const node of allNodes(app.rootGraph)) {
      const place = nodePlace(node);
      const list = recorders.get(node);
      if (list) void showAgain(list, shownRounds.recall(place));
      recommenders.get(node)?.show(shownPlans.recall(place));
    }
    void lookForPending();
  },

  /** After a change of workflow tab, or when an old run is opened: ComfyUI sets outputs without executing. */
  onNodeOutputsUpdated(outputs) {
    for (const [id, output] of Object.entries(outputs)) {
      const node = nodeById(app.rootGraph, id);
      if (!node) continue;
      const ids = output?.[ROUNDS_KEY]?.map((/** @type {any} */ record) => roundFrom(record).generationId);
      const list = recorders.get(node);
      if (ids && list) void showAgain(list, ids);
      if (output?.[PLANS_KEY]) recommenders.get(node)?.show(output[PLANS_KEY]);
    }
  },
});
