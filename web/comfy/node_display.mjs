// @ts-check
/**
 * Adds a DOM element to a node as a widget, in the classic canvas and in Nodes 2.0, and finds nodes by the ids that ComfyUI
 * uses for outputs. The only module that depends on the structure of ComfyUI's nodes.
 */

import { backgroundOf, inNodes2 } from "./frontend_api.mjs";

/** The widget's type; it must not be the name of one of ComfyUI's own. */
const WIDGET_TYPE = "CC_DISPLAY";

/** A higher list scrolls inside its node, unless the person makes the node higher. */
const MAX_HEIGHT_PX = 412;

/** The margin of the classic canvas around a widget's element. */
const MARGIN_PX = 8;

/**
 * The node grows for its content, and becomes smaller again as far as it has grown: what the person made it stays.
 *
 * @param {ComfyNode} node
 * @param {string} name
 * @param {HTMLElement} content
 * @param {(room: { width: number, height: number } | null) => void} [fill] lets the content use all room of the node, or,
 *   with null, what it needs at least. Such a node never becomes smaller by itself.
 * @returns {() => void} a function to call when the content's height has changed
 */
export function addDisplay(node, name, content, fill) {
  const frame = document.createElement("div");
  frame.className = "cc-display";
  // While something in it has the focus, the wheel scrolls the list instead of zooming the canvas (Nodes 2.0).
  frame.dataset.captureWheel = "true";
  frame.append(content);
  // The classic canvas reads the height each time it draws, so it is measured on changes only.
  let height = 0;
  const widget = node.addDOMWidget(name, WIDGET_TYPE, frame, {
    serialize: false,
    hideOnZoom: false,
    hideInPanel: true, // the panel would change the widget's width, in the classic canvas too
    getMinHeight: () => height + MARGIN_PX,
    getValue: () => "",
    setValue: () => {},
  });
  widget.serialize = false;
  // Frontends before 1.49 have no `hideInPanel`. They leave a `canvasOnly` widget out of the panel, but also out of
  // Nodes 2.0, which a person may turn on at any time.
  Object.defineProperty(widget.options, "canvasOnly", { get: () => !inNodes2() });

  /** The node's height as the person, or the workflow, has it, and the one that was set here. */
  let own = 0;
  let set = 0;
  const grow = (/** @type {number} */ needed) => {
    const shrinks = needed < height;
    height = needed;
    // Nodes 2.0 lays the element out instead of reading a height, and the style sheet hides its content's height.
    frame.style.minBlockSize = `${height}px`;
    if (fill && shrinks) return;
    const [width, least] = node.computeSize();
    if (node.size[1] !== set) own = node.size[1];
    node.setSize([Math.max(width, node.size[0]), Math.max(least, own)]);
    set = node.size[1];
    node.graph?.setDirtyCanvas(true, true);
  };
  const fit = () => {
    fill?.(null);
    const needed = Math.min(MAX_HEIGHT_PX, content.scrollHeight);
    if (needed !== height && needed !== 0) grow(needed);
    fill?.({ width: frame.clientWidth, height: frame.clientHeight });
  };
  const watcher = new ResizeObserver(fit);
  watcher.observe(content);
  if (fill) watcher.observe(frame);
  hook(node, "onRemoved", () => watcher.disconnect());
  // The classic canvas draws again when the theme or the node's colour is changed. Nodes 2.0 has the colour in a variable.
  let background = "";
  hook(node, "onDrawBackground", () => {
    if (background === backgroundOf(node)) return;
    background = backgroundOf(node);
    frame.style.setProperty("--cc-node-background", background);
  });
  return fit;
}

/**
 * Also call a listener when ComfyUI calls a node's event handler.
 *
 * @param {ComfyNode} node
 * @param {"onConfigure" | "onConnectionsChange" | "onDrawBackground" | "onExecuted" | "onRemoved"} event
 * @param {(output: Record<string, any>) => void} listener
 */
export function hook(node, event, listener) {
  const before = node[event];
  node[event] = function (/** @type {any} */ ...args) {
    before?.apply(this, args);
    listener(args[0]);
  };
}

/**
 * Identifies a node across reloads: the workflow's id, then the node's id in the form that ComfyUI's frontend uses for
 * outputs (`"7"`, or `"<subgraph>:7"`).
 *
 * @param {ComfyNode} node
 */
export function nodeKey(node) {
  const graph = node.graph;
  if (!graph) return "";
  const root = graph.rootGraph ?? graph;
  return `${root.id}/${graph === root ? "" : `${graph.id}:`}${node.id}`;
}

/**
 * @param {ComfyGraph} root
 * @param {string} id a node's id (`"7"`), its id in a subgraph's definition (`"<subgraph>:7"`), or its id in a run
 *   (`"5:7"`: node 7 inside the subgraph node 5)
 * @returns {ComfyNode | null}
 */
export function nodeById(root, id) {
  const parts = id.split(":");
  const own = /** @type {string} */ (parts.pop());
  let graph = root.subgraphs?.get(parts[0]);
  if (!graph) {
    graph = root;
    for (const part of parts) graph = graph?.getNodeById(part)?.subgraph;
  }
  return graph?.getNodeById(own) ?? null;
}

/** Of a node that a run leaves out: muted, bypassed. */
const OFF = [2, 4];

/**
 * @param {ComfyGraph} graph
 * @param {boolean} [off] whether it is that of a subgraph node that a run leaves out
 * @returns {ComfyNode[]} the nodes that a run leaves out, also those inside of such subgraph nodes
 */
export function nodesLeftOut(graph, off = false) {
  return (graph.nodes ?? []).flatMap((node) => {
    const isOff = off || OFF.includes(node.mode);
    return [...(isOff ? [node] : []), ...(node.subgraph ? nodesLeftOut(node.subgraph, isOff) : [])];
  });
}

/**
 * @param {ComfyGraph} root
 * @returns {ComfyNode[]} all nodes, including those in subgraphs
 */
export function allNodes(root) {
  const graphs = [root, ...(root.subgraphs?.values() ?? [])];
  return graphs.flatMap((graph) => graph.nodes ?? []);
}
