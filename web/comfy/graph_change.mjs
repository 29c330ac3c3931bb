// @ts-check
/** One change of a workflow, as one step to undo. */

/** An error with the parts of its message, so that it is translated as the server's errors are. */
export class NotWired extends Error {
  /**
   * @param {string} text
   * @param {string} key
   * @param {object} [values]
   */
  constructor(text, key, values) {
    super(text);
    this.parts = [{ text, key, values }];
  }
}

/**
 * Make one step to undo of a change.
 *
 * @template Outcome
 * @param {ComfyNode} node
 * @param {(graph: ComfyGraph) => Outcome} change
 * @returns {Outcome}
 */
export function changeGraph(node, change) {
  const { graph } = node;
  if (!graph) throw new NotWired("The node is no longer in a workflow.", "no_workflow");
  graph.beforeChange();
  try {
    return change(graph);
  } finally {
    graph.afterChange();
    graph.setDirtyCanvas(true, true);
  }
}
