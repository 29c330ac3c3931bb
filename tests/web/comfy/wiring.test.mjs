// Reading and wiring a workflow. The graph here has only what ComfyUI's own does for these calls; the tests in
// tests/browser do the same in ComfyUI.

import assert from "node:assert/strict";
import { test } from "node:test";

import { positiveEncoder, valuesOf } from "../../../web/comfy/graph_reading.mjs";
import { isLoader, makesImages, recommendFor, recordFor } from "../../../web/comfy/wiring.mjs";

const TYPES = {
  CheckpointLoaderSimple: { in: ["ckpt_name"], out: { MODEL: "MODEL", CLIP: "CLIP", VAE: "VAE" } },
  LoraLoader: { in: ["model", "clip"], out: { MODEL: "MODEL", CLIP: "CLIP" } },
  CLIPTextEncode: { in: ["clip", "text"], out: { CONDITIONING: "CONDITIONING" }, widgets: ["text"] },
  KSampler: { in: ["model", "positive", "negative"], out: { LATENT: "LATENT" } },
  VAEDecode: { in: ["samples", "vae"], out: { IMAGE: "IMAGE" } },
  PrimitiveStringMultiline: { in: ["value"], out: { STRING: "STRING" }, widgets: ["value"] },
  ContextCheckpointRecommender: {
    in: ["prompt"],
    out: { plan: "CC_PLAN", ckpt_name: "*" },
    widgets: ["prompt", "seed"],
  },
  MultiCheckpointSampler: { in: ["plan"], out: { images: "IMAGE", generation: "CC_GENERATION" } },
  FeedbackRecorder: {
    in: ["images", "generation", "plan", "ckpt_names"],
    out: { selected_images: "IMAGE" },
  },
};

class Graph {
  nodes = [];
  links = new Map();
  steps = 0;
  beforeChange() {
    this.steps += 1;
  }
  afterChange() {}
  setDirtyCanvas() {}
  add(node) {
    node.id = this.nodes.length + 1;
    node.graph = this;
    this.nodes.push(node);
  }
  getLink(id) {
    return this.links.get(id);
  }
  getNodeById(id) {
    return this.nodes.find((node) => node.id === id);
  }
}

function create(type) {
  const known = TYPES[type];
  if (!known) return null;
  return {
    comfyClass: type,
    pos: [0, 0],
    size: [200, 100],
    inputs: known.in.map((name) => ({ name, link: null })),
    outputs: Object.entries(known.out).map(([name, outType]) => ({ name, type: outType })),
    widgets: (known.widgets ?? []).map((name) => ({ name, value: "" })),
    connect(slot, target, targetSlot) {
      if (slot < 0 || targetSlot < 0) return null;
      const id = this.graph.links.size + 1;
      this.graph.links.set(id, { origin_id: this.id, origin_slot: slot });
      target.inputs[targetSlot].link = id;
      return { id };
    },
    getInputNode(slot) {
      const link = this.graph.links.get(this.inputs[slot].link);
      return link ? this.graph.getNodeById(link.origin_id) : null;
    },
  };
}

/** A stock workflow: loader, LoRA, two prompts, sampler, decoder. */
function stock() {
  const graph = new Graph();
  const node = (type) => {
    const made = create(type);
    graph.add(made);
    return made;
  };
  const [loader, lora, positive, negative, sampler, decoder] = [
    "CheckpointLoaderSimple",
    "LoraLoader",
    "CLIPTextEncode",
    "CLIPTextEncode",
    "KSampler",
    "VAEDecode",
  ].map(node);
  positive.widgets[0].value = "a castle";
  negative.widgets[0].value = "blurry";
  loader.connect(1, lora, 1);
  lora.connect(1, positive, 0);
  lora.connect(1, negative, 0);
  lora.connect(0, sampler, 0);
  positive.connect(0, sampler, 1);
  negative.connect(0, sampler, 2);
  sampler.connect(0, decoder, 0);
  loader.connect(2, decoder, 1);
  return { graph, loader, positive, negative, sampler, decoder };
}

const only = (graph, type) => {
  const found = graph.nodes.filter(({ comfyClass }) => comfyClass === type);
  assert.equal(found.length, 1, type);
  return found[0];
};
const from = (node, name) => node.getInputNode(node.inputs.findIndex((input) => input.name === name));

test("the positive prompt is found through a LoRA, and the negative one is not taken for it", () => {
  const { graph, loader, positive } = stock();
  assert.equal(positiveEncoder(graph.nodes, loader), positive);
});

test("of two positive prompts none is guessed", () => {
  const { graph, loader, negative } = stock();
  const second = create("KSampler");
  graph.add(second);
  negative.connect(0, second, 1);
  assert.equal(positiveEncoder(graph.nodes, loader), null);
});

test("another loader's prompt is not this one's", () => {
  const { graph } = stock();
  const other = create("CheckpointLoaderSimple");
  graph.add(other);
  assert.equal(positiveEncoder(graph.nodes, other), null);
});

test("a recommender chooses for the loader, and both read one text", () => {
  const { graph, loader, positive } = stock();
  assert.deepEqual(recommendFor(loader, create), { withPrompt: true });

  const recommender = only(graph, "ContextCheckpointRecommender");
  const text = only(graph, "PrimitiveStringMultiline");
  assert.equal(from(loader, "ckpt_name"), recommender);
  assert.equal(text.widgets[0].value, "a castle");
  assert.equal(from(positive, "text"), text);
  assert.equal(from(recommender, "prompt"), text);
  assert.equal(graph.steps, 1, "one step to undo");
});

test("a text that is connected already is shared as it is", () => {
  const { graph, loader, positive } = stock();
  const text = create("PrimitiveStringMultiline");
  graph.add(text);
  text.connect(0, positive, 1);

  recommendFor(loader, create);

  assert.equal(from(only(graph, "ContextCheckpointRecommender"), "prompt"), text);
  only(graph, "PrimitiveStringMultiline");
});

test("a loader whose choice is connected already is not offered a recommender", () => {
  const { loader } = stock();
  assert.ok(isLoader(loader));
  recommendFor(loader, create);
  assert.ok(!isLoader(loader));
});

test("feedback on a hand-wired output is wired to the only recommender", () => {
  const { graph, loader, decoder } = stock();
  recommendFor(loader, create);
  assert.deepEqual(recordFor(decoder, create), { complete: true });

  const recorder = only(graph, "FeedbackRecorder");
  const recommender = only(graph, "ContextCheckpointRecommender");
  assert.equal(from(recorder, "images"), decoder);
  assert.equal(from(recorder, "plan"), recommender);
  assert.equal(from(recorder, "ckpt_names"), recommender);
});

test("what is added lies on nothing that is there, but below it", () => {
  const { graph, decoder } = stock();
  const preview = create("VAEDecode");
  const below = create("VAEDecode");
  decoder.pos = [1000, 0];
  preview.pos = [1230, 20];
  below.pos = [1300, 190];
  graph.add(preview);
  graph.add(below);
  recordFor(decoder, create);
  assert.deepEqual(only(graph, "FeedbackRecorder").pos, [1260, 350]);
});

test("without a recommender the person is told that something is missing", () => {
  const { decoder } = stock();
  assert.deepEqual(recordFor(decoder, create), { complete: false });
});

test("the sampler's own generation is used", () => {
  const graph = new Graph();
  const sampler = create("MultiCheckpointSampler");
  graph.add(sampler);
  assert.deepEqual(recordFor(sampler, create), { complete: true });
  assert.equal(from(only(graph, "FeedbackRecorder"), "generation"), sampler);
});

test("images are offered to be recorded, but not a recorder's own", () => {
  const { decoder, loader } = stock();
  assert.ok(makesImages(decoder));
  assert.ok(!makesImages(loader));
  assert.ok(!makesImages(create("FeedbackRecorder")));
});

test("a ComfyUI without the nodes is an error that says so", () => {
  const { loader } = stock();
  assert.throws(() => recommendFor(loader, () => null), /no node ContextCheckpointRecommender/);
  assert.throws(() => recommendFor(loader, () => null), {
    parts: [
      {
        text: "ComfyUI has no node ContextCheckpointRecommender.",
        key: "no_node",
        values: { type: "ContextCheckpointRecommender" },
      },
    ],
  });
});

test("the text of a connected text node is known before a run, that of another node is not", () => {
  const { graph, loader, positive } = stock();
  recommendFor(loader, create);
  const recommender = only(graph, "ContextCheckpointRecommender");
  assert.equal(valuesOf(recommender).prompt, "a castle");

  positive.connect(0, recommender, 0);
  assert.equal(valuesOf(recommender), null);
});
