// @ts-check
/**
 * The page of `context-checkpoint serve`: the sidebar's panel, without what only ComfyUI can do.
 *
 * What the panel shows first is asked for before its modules are there: both take about as long.
 */

import { Server } from "../lib/api_client.mjs";
import { speakerFrom } from "../lib/i18n.mjs";
import { lastTab } from "../lib/last_tab.mjs";

const server = new Server((path, options) => fetch(path, options));
const tab = lastTab(window.localStorage);
const overview = ["", "overview"].includes(tab.recall()) ? server.overview() : undefined;
overview?.catch(() => {}); // the tab tells it, once it is there
const [{ say, language }, { Panel }] = await Promise.all([
  speakerFrom((path) => fetch(path), navigator.languages),
  import("../panel/panel.mjs"),
]);
document.documentElement.lang = language;

const panel = new Panel({
  say,
  server,
  inComfyUI: false,
  imageUrl: null,
  blind: () => false,
  changeSettings: (changes) => server.changeSettings(changes),
  releaseLoaders: () => {},
  confirm: async (_title, question) => window.confirm(question),
  lost: (reason) => console.error(reason),
  overview,
  lastTab: tab,
});
document.querySelector("main")?.append(panel.element);
