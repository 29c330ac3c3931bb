// @ts-check
/**
 * Registers the pack with ComfyUI's frontend. ComfyUI imports this file by itself (as every `.js` under `web/`); the
 * modules that it uses are `.mjs`, so that ComfyUI does not.
 */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { FirstStart, STARTED } from "./comfy/first_start.mjs";
import { createNode, zoomOutTo } from "./comfy/frontend_api.mjs";
import { MessageTranslation } from "./comfy/message_translation.mjs";
import { allNodes, nodeById, nodeKey, nodesLeftOut } from "./comfy/node_display.mjs";
import { BLIND, SettingsMirror } from "./comfy/settings.mjs";
import { showToast } from "./comfy/toast.mjs";
import { WiringMenu } from "./comfy/wiring_menu.mjs";
import { Server } from "./lib/api_client.mjs";
import { comfyTranslator, translator } from "./lib/i18n.mjs";
import { SIDEBAR_TAB, sidebarTab } from "./panel/sidebar.mjs";
import { BranchNodes, LORAS, SETTINGS } from "./recommender/branch_nodes.mjs";
import { RecommenderNodes } from "./recommender/recommender_nodes.mjs";
import { imageUrl } from "./recorder/image_url.mjs";
import { RecorderNodes } from "./recorder/recorder_nodes.mjs";
import { WaitingRuns } from "./recorder/waiting_runs.mjs";

const STYLE_SHEETS = ["./context_checkpoint.css", "./panel/panel.css"];

const OUR_NODES = [
  "ContextCheckpointRecommender",
  "ContextSettingsRecommender",
  "ContextLoraRecommender",
  "MultiCheckpointSampler",
  "RecommendedCheckpointLoader",
  "FeedbackRecorder",
];

/** Sent by the server when a run begins or ends to wait for a pick. */
const PENDING_CHANGED = "context_checkpoint.pending";

const server = new Server(
  (path, options) => api.fetchApi(path, options),
  (path) => api.apiURL(path),
);
let t = translator();

/** @type {Toast} */
const toast = (severity, summary, detail) => showToast(app, t, severity, summary, detail);
const isBlind = () => app.extensionManager.setting.get(BLIND.id) === true;
/** @param {unknown} error */
const onVerdictLost = (error) => toast("error", t("verdictLost"), error);
/** @type {GalleryOptions["imageUrl"]} */
const urlOfImage = (image, generationId, full) => api.apiURL(imageUrl(image, generationId, full));

const settings = new SettingsMirror(server, () => ({
  set: (id, value) => app.extensionManager.setting.set(id, value),
  warn: (error) => toast("warn", t("settingNotSaved"), error),
}));
const waiting = new WaitingRuns(server);
const recommenders = new RecommenderNodes({
  t: () => t,
  server,
  storage: window.localStorage,
  addOthers: async (node) => {
    const { addSamplerAndRecorder } = await import("./comfy/wiring.mjs");
    zoomOutTo(app, node, addSamplerAndRecorder(node, createNode));
  },
});
const settingsNodes = new BranchNodes(SETTINGS, { t: () => t, storage: window.localStorage });
const loraNodes = new BranchNodes(LORAS, { t: () => t, storage: window.localStorage });
const recorders = new RecorderNodes({
  t: () => t,
  server,
  waiting,
  storage: window.localStorage,
  rootGraph: () => app.rootGraph,
  imageUrl: urlOfImage,
  isBlind,
  onVerdictLost,
});
const wiringMenu = new WiringMenu({
  t: () => t,
  toast,
  createNode,
  rootGraph: () => app.rootGraph,
  read: async (loader) => server.graph((await app.graphToPrompt()).output, loader),
});

const firstStart = new FirstStart(app, SIDEBAR_TAB);

/** Ids of the picks that a toast has told of. @type {Set<string>} */
const told = new Set();

/** @param {WaitingPick[]} picks */
function showWaiting(picks) {
  firstStart.badge(picks.length);
  for (const { id } of recorders.showWaiting(picks)) {
    if (!told.has(id)) toast("info", t("waitingElsewhere"), t("waitingElsewhereDetail"));
    told.add(id);
  }
}

/**
 * @param {string} url of this file, `/extensions/<folder>/context_checkpoint.js`
 * @returns {string} the name of the pack's folder, by which ComfyUI lists its examples
 */
const packFolder = (url) => decodeURIComponent(new URL("./", url).pathname.split("/").at(-2) ?? "");

/** Which nodes of ours the last run left out. */
let leftOut = "";

/** Say what a run without these nodes does not do; once, until other ones are left out. */
function tellLeftOut() {
  const nodes = nodesLeftOut(app.rootGraph).filter(({ comfyClass }) => OUR_NODES.includes(comfyClass ?? ""));
  const titles = [...new Set(nodes.map(({ title }) => title))].join(", ");
  const now = nodes.map((node) => `${nodeKey(node)} ${node.mode}`).join();
  if (now !== "" && now !== leftOut) toast("warn", t("leftOut", { nodes: titles }), t("leftOutDetail"));
  leftOut = now;
}

async function releaseLoaders() {
  try {
    await server.releaseLoaders();
    toast("success", t("released"), t("releasedDetail"));
  } catch (error) {
    toast("error", t("notReleased"), error);
  }
}

/** @param {object} changes */
async function changeSettings(changes) {
  const changed = await server.changeSettings(changes);
  await settings.read(); // ComfyUI's own dialog shows them too
  return changed;
}

app.registerExtension({
  name: "ContextCheckpoint",

  settings: [...settings.definitions(), STARTED],

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
    t = await comfyTranslator((path) => api.fetchApi(path), app.extensionManager.setting.get("Comfy.Locale") ?? "en");
    for (const file of STYLE_SHEETS) {
      const sheet = document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = new URL(file, import.meta.url).href;
      document.head.append(sheet);
    }
  },

  async setup() {
    new MessageTranslation(t, (text) => toast("error", t("stopped"), text)).listen(api);
    waiting.listen(showWaiting);
    api.addEventListener("promptQueueing", tellLeftOut);
    api.addCustomEventListener(PENDING_CHANGED, () => void waiting.update());
    api.addEventListener("reconnected", () => void waiting.update());
    app.extensionManager.registerSidebarTab(
      sidebarTab({
        t,
        server,
        waiting,
        imageUrl: urlOfImage,
        isBlind,
        changeSettings,
        releaseLoaders: () => void releaseLoaders(),
        runWith: async (prompt, checkpoint) =>
          (await import("./comfy/run_with.mjs")).runWith({ app, api }, prompt, checkpoint),
        confirm: async (title, message, type = "delete") =>
          (await app.extensionManager.dialog.confirm({ title, message, type })) === true,
        onVerdictLost,
        onOpen: () => firstStart.seen(),
        workflows: {
          fetchApi: (path) => api.fetchApi(path),
          apiUrl: (path) => api.apiURL(path),
          pack: packFolder(import.meta.url),
          open: (workflow, name) => app.loadGraphData(workflow, true, true, name),
          nodes: () => allNodes(app.rootGraph),
          refresh: () => app.extensionManager.command.execute("Comfy.RefreshNodeDefinitions"),
          loadGuide: () => import("./panel/start.mjs"),
        },
      }),
    );
    await settings.read();
    void firstStart.announce(server, t, toast);
  },

  nodeCreated(node) {
    if (node.comfyClass === "FeedbackRecorder") recorders.add(node);
    if (node.comfyClass === "ContextCheckpointRecommender") recommenders.add(node);
    if (node.comfyClass === "ContextSettingsRecommender") settingsNodes.add(node);
    if (node.comfyClass === "ContextLoraRecommender") loraNodes.add(node);
  },

  getNodeMenuItems(node) {
    return wiringMenu.itemsFor(node);
  },

  /** After a reload: ComfyUI itself drops outputs then, and does not send again what it has in its cache. */
  afterConfigureGraph() {
    for (const node of allNodes(app.rootGraph)) {
      recorders.restore(node);
      recommenders.restore(node);
      settingsNodes.restore(node);
      loraNodes.restore(node);
    }
    void waiting.update();
  },

  /** After a change of workflow tab, or when an old run is opened: ComfyUI sets outputs without executing. */
  onNodeOutputsUpdated(outputs) {
    for (const [id, output] of Object.entries(outputs)) {
      const node = nodeById(app.rootGraph, id);
      if (!node) continue;
      recorders.showOutput(node, output);
      recommenders.showOutput(node, output);
      settingsNodes.showOutput(node, output);
      loraNodes.showOutput(node, output);
    }
  },
});
