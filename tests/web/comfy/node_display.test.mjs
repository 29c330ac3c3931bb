// Nodes are found by all three forms of id that ComfyUI uses for outputs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nodeById, nodeKey } from "../../../web/comfy/node_display.mjs";

const SUBGRAPH = "5e0c6f3a-0000-4000-8000-000000000000";

function graph(id, nodes) {
  const created = { id, nodes, getNodeById: (wanted) => nodes.find((node) => String(node.id) === wanted) };
  for (const node of nodes) node.graph = created;
  return created;
}

function arranged() {
  const inner = graph(SUBGRAPH, [{ id: 2 }]);
  const root = graph("root", [{ id: 2 }, { id: 5, subgraph: inner }]);
  root.subgraphs = new Map([[SUBGRAPH, inner]]);
  inner.rootGraph = root;
  return { root, inner };
}

test("a plain id is a node of the root graph", () => {
  const { root } = arranged();
  assert.equal(nodeById(root, "2"), root.nodes[0]);
});

test("a run's id walks through the subgraph node, a locator starts at the subgraph", () => {
  const { root, inner } = arranged();
  assert.equal(nodeById(root, "5:2"), inner.nodes[0]);
  assert.equal(nodeById(root, `${SUBGRAPH}:2`), inner.nodes[0]);
});

test("an id of no node is null", () => {
  const { root } = arranged();
  for (const id of ["9", "9:2", "2:2", "5:9"]) assert.equal(nodeById(root, id), null, id);
});

test("equal numbers in the graph and in a subgraph are different nodes", () => {
  const { root, inner } = arranged();
  assert.equal(nodeKey(root.nodes[0]), "root/2");
  assert.equal(nodeKey(inner.nodes[0]), `root/${SUBGRAPH}:2`);
});
