// @ts-check
/** The page of `context-checkpoint serve`: the sidebar's panel, without what only ComfyUI can do. */

import { Panel } from "../panel/panel.mjs";
import { Server } from "../server.mjs";
import { lastTab } from "../sidebar.mjs";
import { speakerFrom } from "../texts.mjs";

const server = new Server((path, options) => fetch(path, options));
const { say, language } = await speakerFrom((path) => fetch(path), navigator.languages);
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
  lastTab: lastTab(window.localStorage),
});
document.querySelector("main")?.append(panel.element);
