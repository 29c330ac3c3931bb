// @ts-check
/**
 * Puts a DOM element on a node as a widget, in the classic canvas and in Nodes 2.0, and finds nodes by the ids
 * that ComfyUI uses for outputs. The only module that knows how nodes are built.
 */

/** The widget's type; it must not be the name of one of ComfyUI's own. */
const WIDGET_TYPE = "CC_DISPLAY";

/** Beyond this a list scrolls inside its node, unless the person makes the node higher. */
const MOST_HEIGHT_PX = 412;

/** What the classic canvas takes off a widget's height around its element. */
const MARGIN_PX = 8;

/**
 * @param {ComfyNode} node
 * @param {string} name
 * @param {HTMLElement} content
 * @returns {() => void} to be called when the content's height has changed
 */
export function addDisplay(node, name, content) {
  const frame = document.createElement("div");
  frame.className = "cc-display";
  // Once something in it has the focus, the wheel scrolls the list instead of zooming the canvas (Nodes 2.0).
  frame.dataset.captureWheel = "true";
  frame.append(content);
  // The classic canvas asks for the height each time it draws, so it is measured on changes only.
  let height = 0;
  const widget = node.addDOMWidget(name, WIDGET_TYPE, frame, {
    serialize: false,
    hideOnZoom: false,
    hideInPanel: true, // it would give the widget its own width, in the classic canvas too
    getMinHeight: () => height + MARGIN_PX,
    getValue: () => "",
    setValue: () => {},
  });
  widget.serialize = false;
  // Frontends before 1.49 know no `hideInPanel`; what is for the canvas alone they leave out of the panel as well, but
  // also out of Nodes 2.0, which a person may turn on at any time.
  Object.defineProperty(widget.options, "canvasOnly", { get: () => !window.LiteGraph.vueNodesMode });

  const fit = () => {
    frame.style.setProperty("--cc-node-background", node.bgcolor ?? window.LiteGraph.NODE_DEFAULT_BGCOLOR);
    const wanted = Math.min(MOST_HEIGHT_PX, content.scrollHeight);
    if (wanted === height || wanted === 0) return;
    const grown = wanted - height;
    height = wanted;
    // Nodes 2.0 asks no one for a height but lays the element out; the style sheet takes its content's away.
    frame.style.minBlockSize = `${height}px`;
    const [width, least] = node.computeSize();
    node.setSize([Math.max(width, node.size[0]), Math.max(least, node.size[1] + Math.min(grown, 0))]);
    node.graph?.setDirtyCanvas(true, true);
  };
  const watcher = new ResizeObserver(fit);
  watcher.observe(content);
  hook(node, "onRemoved", () => watcher.disconnect());
  return fit;
}

/**
 * Do something too when ComfyUI calls a node.
 *
 * @param {ComfyNode} node
 * @param {"onExecuted" | "onRemoved"} event
 * @param {(output: Record<string, any>) => void} listener
 */
export function hook(node, event, listener) {
  const before = node[event];
  node[event] = function (/** @type {any} */ ...given) {
    before?.apply(this, given);
    listener(given[0]);
  };
}

/**
 * Where a node is, in a form that stays the same over a reload: the workflow's id, then the node's as ComfyUI's
 * frontend writes it for outputs (`"7"`, or `"<subgraph>:7"`).
 *
 * @param {ComfyNode} node
 */
export function nodePlace(node) {
  const graph = node.graph;
  if (!graph) return "";
  const root = graph.rootGraph ?? graph;
  return `${root.id}/${graph === root ? "" : `${graph.id}:`}${node.id}`;
}

/**
 * @param {ComfyGraph} root
 * @param {string} id a node's id (`"7"`), its place in a subgraph's definition (`"<subgraph>:7"`), or its place in
 *   a run (`"5:7"`: node 7 inside the subgraph node 5)
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

/**
 * @param {ComfyGraph} root
 * @returns {ComfyNode[]} all nodes, those inside subgraphs too
 */
export function allNodes(root) {
  const graphs = [root, ...(root.subgraphs?.values() ?? [])];
  return graphs.flatMap((graph) => graph.nodes ?? []);
}
