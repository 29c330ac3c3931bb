// @ts-check
/**
 * What the pack uses of ComfyUI's frontend although it is private or undocumented, and what replaces each of them. A new
 * version of the frontend breaks these first, so that they are all here: what needs code as a function, the rest as a list.
 *
 * Documented, and used where they are needed: `app.registerExtension` and its hooks, `extensionManager` (settings, toasts,
 * dialogs, commands, sidebar tabs), `api`, `node.addDOMWidget`, `node.connect`, `node.pos`, `node.setSize`.
 *
 * | name | where | replaced by |
 * |---|---|---|
 * | `LiteGraph.vueNodesMode` | `inNodes2` | the setting `Comfy.VueNodes.Enabled` |
 * | `LiteGraph.NODE_DEFAULT_BGCOLOR` | `backgroundOf` | `--component-node-background`, once the classic canvas sets it |
 * | `LiteGraph.createNode` | `createNode` | no other yet |
 * | `input.link` | nowhere any more | `node.getInputLink`, see `inputLink` |
 * | `output.links` | nowhere any more | `node.isOutputConnected` |
 * | `graph.links` | `inputLink` | `node.getInputLink`, once a subgraph's means its inputs |
 * | `node.size` as what is drawn | nowhere any more | `node.getBounding()`, see `drawnSize` |
 * | `graph.beforeChange`, `afterChange` | `graph_change.mjs` | no other yet; they make one step to undo |
 * | `graph.subgraphs`, `node.subgraph` | `node_display.mjs` | no other yet |
 * | `-10`, the origin of links from a subgraph's inputs | `graph_reading.mjs` | no other yet |
 * | `properties.proxyWidgets` | `graph_reading.mjs` | no other yet; widgets shown on a subgraph's node |
 * | `extensionManager.getSidebarTabs`, `iconBadge` of a tab | `first_start.mjs` | no other yet |
 * | `widget.advanced`, `node.showAdvanced`, `node.toggleAdvanced`, `node.getLayoutWidgets`, `node.isWidgetVisible` | `foldAdvanced`, `toggleAdvanced` | an input's `advanced`, once the classic canvas folds it too |
 * | widget option `hideInPanel` | `node_display.mjs` | before 1.49: `canvasOnly` |
 * | `data-capture-wheel` | `node_display.mjs` | no other yet |
 * | `Workspace.ToggleSidebarTab.<id>` | `context_checkpoint.js` | no other yet |
 * | `app.canvas.ds` | `zoomOutTo` | no other yet |
 * | `Comfy.RefreshNodeDefinitions` | `context_checkpoint.js` | no other yet |
 * | `app.loadGraphData` | `context_checkpoint.js` | no other yet; opens a workflow in a tab of its own |
 * | `GET workflow_templates` | `examples.mjs` | no other yet |
 * | setting type `hidden` | `first_start.mjs` | no other yet |
 * | `.lg-node` | `context_checkpoint.css` | `[data-testid^="node-body"]` |
 * | `.dark-theme` on the page (gone in 1.58) | `context_checkpoint.css` | `color-scheme`, and `light-dark()` |
 * | `--p-primary-color` and other `--p-` colours (gone in 1.58) | nowhere any more | `light-dark()` |
 * | `--descrip-text`, `--input-text`, `--comfy-input-bg`, `--border-color` | the style sheets | the palette's own names |
 */

/** What stays free on the right after zooming out, and the smallest scale for it: text is still read there. */
const VIEW_MARGIN_PX = 24;
const LEAST_SCALE = 0.5;

export function inNodes2() {
  return window.LiteGraph.vueNodesMode;
}

/** @param {string} type */
export function createNode(type) {
  return window.LiteGraph.createNode(type);
}

/**
 * Zoom out until a node further to the right is seen too; the first one's corner stays where it is.
 *
 * @param {import("../types/comfyui").ComfyApp} app
 * @param {ComfyNode} first
 * @param {ComfyNode} last
 */
export function zoomOutTo({ canvas }, first, last) {
  const { ds } = canvas;
  const corner = [0, 1].map((axis) => (first.pos[axis] + ds.offset[axis]) * ds.scale);
  const needed = last.pos[0] + drawnSize(last)[0] - first.pos[0];
  const fitting = (canvas.canvas.clientWidth - corner[0] - VIEW_MARGIN_PX) / needed;
  ds.scale = Math.min(ds.scale, Math.max(LEAST_SCALE, fitting));
  ds.offset = [corner[0] / ds.scale - first.pos[0], corner[1] / ds.scale - first.pos[1]];
  canvas.setDirty(true, true);
}

/** @param {ComfyNode} node */
export function backgroundOf(node) {
  return node.bgcolor ?? window.LiteGraph.NODE_DEFAULT_BGCOLOR;
}

/**
 * The link into an input; null where there is none, and for a node that is in no graph: a copy that is just being made,
 * or one that was removed.
 *
 * @param {ComfyNode} node
 * @param {number} slot
 */
export function inputLink(node, slot) {
  const { graph } = node;
  if (!graph || slot < 0) return null;
  if (!node.subgraph) return node.getInputLink(slot) ?? null;
  // A subgraph's node answers `getInputLink` with a link behind its outputs.
  const intoSlot = [...graph.links.values()].filter((link) => link.target_slot === slot);
  return intoSlot.find((link) => String(link.target_id) === String(node.id)) ?? null;
}

/**
 * The node whose output is linked to an input; null where `inputLink` is.
 *
 * @param {ComfyNode} node
 * @param {number} slot
 */
export function inputNode(node, slot) {
  const link = inputLink(node, slot);
  return (link && node.graph?.getNodeById(link.origin_id)) ?? null;
}

/**
 * Width and height that a node takes below its title: in Nodes 2.0 more than was asked for, where its content needs it.
 * Before it is first drawn, what was asked for.
 *
 * @param {ComfyNode} node
 * @returns {[number, number]}
 */
export function drawnSize(node) {
  const [, top, width, height] = node.getBounding();
  return [Math.max(width, node.size[0]), Math.max(height + top - node.pos[1], node.size[1])];
}

/**
 * Fold a node's advanced inputs in the classic canvas too, where the frontend has only the means for it.
 *
 * @param {ComfyNode} node
 */
export function foldAdvanced(node) {
  for (const widget of node.widgets ?? []) if (widget.options?.advanced) widget.advanced = true;
  // Frontends before 1.58 leave room for a folded widget in the classic canvas.
  if (node.getLayoutWidgets && node.isWidgetVisible) {
    node.getLayoutWidgets = () => (node.widgets ?? []).filter((widget) => node.isWidgetVisible?.(widget));
  }
}

/**
 * Unfold a node's advanced inputs, or fold them again: what the frontend's own button and menu do.
 *
 * @param {ComfyNode} node
 */
export function toggleAdvanced(node) {
  const [width, height] = node.size;
  const [, before] = node.computeSize();
  if (!node.showAdvanced) foldedHeights.set(node, height);
  node.toggleAdvanced?.();
  // By itself the node would only grow. In Nodes 2.0 rows have another height than `computeSize` says, and a node is
  // never lower than its content.
  const folded = node.showAdvanced || !inNodes2() ? undefined : foldedHeights.get(node);
  node.setSize([width, folded ?? height + node.computeSize()[1] - before]);
}

/** @type {WeakMap<ComfyNode, number>} */
const foldedHeights = new WeakMap();

/**
 * Unfold them where one is connected, since a link needs an end that is seen.
 *
 * @param {ComfyNode} node
 */
export function unfoldConnected(node) {
  const isLinked = (/** @type {string} */ name) =>
    inputLink(
      node,
      (node.inputs ?? []).findIndex((input) => input.name === name),
    ) !== null;
  if (node.widgets?.some(({ name, advanced }) => advanced && isLinked(name))) node.showAdvanced = true;
}
