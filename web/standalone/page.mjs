// @ts-check
/**
 * The page of `context-checkpoint serve`: the sidebar's panel, without what only ComfyUI can do.
 *
 * It requests the data that the panel shows first while it loads the panel's modules: both take about as long.
 */

import { Server } from "../lib/api_client.mjs";
import { fileTranslator } from "../lib/i18n.mjs";
import { lastTab } from "../panel/last_tab.mjs";
import { WaitingRuns } from "../recorder/waiting_runs.mjs";

const server = new Server((path, options) => fetch(path, options));
const tab = lastTab(window.localStorage);
const overview = ["", "overview"].includes(tab.load()) ? server.overview() : undefined;
overview?.catch(() => {}); // the tab shows the error
const [{ t, language }, { Panel }] = await Promise.all([
  fileTranslator((path) => fetch(path), navigator.languages),
  import("../panel/panel.mjs"),
]);
document.documentElement.lang = language;

const panel = new Panel({
  t,
  server,
  waiting: new WaitingRuns(server),
  inComfyUI: false,
  imageUrl: null,
  isBlind: () => false,
  changeSettings: (changes) => server.changeSettings(changes),
  releaseLoaders: () => {},
  confirm: async (_title, question) => window.confirm(question),
  onVerdictLost: (reason) => console.error(reason),
  overview,
  lastTab: tab,
});
document.querySelector("main")?.append(panel.element);
