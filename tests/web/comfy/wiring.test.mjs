// Reading and wiring a workflow. The graph here has only what ComfyUI's own does for these calls; the tests in
// tests/browser do the same in ComfyUI.

import assert from "node:assert/strict";
import { test } from "node:test";

import { linkedNode, valuesOf } from "../../../web/comfy/graph_reading.mjs";
import { addWord, negativeText } from "../../../web/comfy/negative_text.mjs";
import { isLoader, makesImages } from "../../../web/comfy/wirable.mjs";
import { recommendFor, recordFor } from "../../../web/comfy/wiring.mjs";

const TYPES = {
  CheckpointLoaderSimple: {
    in: ["ckpt_name"],
    out: { MODEL: "MODEL", CLIP: "CLIP", VAE: "VAE" },
    widgets: ["ckpt_name"],
  },
  UNETLoader: { in: ["unet_name", "weight_dtype"], out: { MODEL: "MODEL" }, widgets: ["unet_name"] },
  UnetLoaderGGUF: { in: ["unet_name"], out: { MODEL: "MODEL" }, widgets: ["unet_name"] },
  CLIPTextEncodeSDXL: {
    in: ["clip", "text_g", "text_l"],
    out: { CONDITIONING: "CONDITIONING" },
    widgets: ["text_g", "text_l"],
  },
  PrimitiveNode: { in: [], out: { STRING: "STRING" } },
  Subgraph: { in: ["ckpt_name", "text"], out: { IMAGE: "IMAGE" }, widgets: ["ckpt_name", "text"] },
  LoraLoader: { in: ["model", "clip"], out: { MODEL: "MODEL", CLIP: "CLIP" } },
  CLIPTextEncode: { in: ["clip", "text"], out: { CONDITIONING: "CONDITIONING" }, widgets: ["text"] },
  KSampler: { in: ["model", "positive", "negative"], out: { LATENT: "LATENT" } },
  VAEDecode: { in: ["samples", "vae"], out: { IMAGE: "IMAGE" } },
  PrimitiveStringMultiline: { in: ["value"], out: { STRING: "STRING" }, widgets: ["value"] },
  ContextCheckpointRecommender: {
    in: ["prompt", "negative"],
    out: { plan: "CC_PLAN", ckpt_name: "*", prompt: "STRING" },
    widgets: ["prompt", "family", "include", "fallback", "seed", "control_after_generate", "folder", "needs"],
  },
  ContextSettingsRecommender: { in: ["plan", "negative"], out: { negative: "STRING" }, widgets: ["negative"] },
  MultiCheckpointSampler: { in: ["plan"], out: { images: "IMAGE", generation: "CC_GENERATION" } },
  FeedbackRecorder: {
    in: ["images", "generation", "plan", "ckpt_names"],
    out: { selected_images: "IMAGE" },
  },
};

const CHOICES = { model: "MODEL" };
const VALUES = { family: ["auto", "sdxl"], fallback: ["none", "xl/dream.safetensors"] };

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
  /** A link from the subgraph's input at `slot`. */
  fromOutside(slot, target, targetSlot) {
    const id = this.links.size + 1;
    this.links.set(id, { origin_id: -10, origin_slot: slot, target_id: target.id, target_slot: targetSlot });
    target.inputs[targetSlot].link = id;
  }
  getNodeById(id) {
    return this.nodes.find((node) => String(node.id) === String(id));
  }
}

function create(type) {
  const known = TYPES[type];
  if (!known) return null;
  return {
    comfyClass: type,
    pos: [0, 0],
    size: [200, 100],
    type,
    inputs: known.in.map((name) => ({ name, type: CHOICES[name] ?? "*", link: null })),
    outputs: Object.entries(known.out).map(([name, outType]) => ({ name, type: outType })),
    widgets: (known.widgets ?? []).map((name) => ({ name, value: "", options: { values: VALUES[name] } })),
    connect(slot, target, targetSlot) {
      if (slot < 0 || targetSlot < 0) return null;
      const id = this.graph.links.size + 1;
      this.graph.links.set(id, {
        origin_id: this.id,
        origin_slot: slot,
        target_id: target.id,
        target_slot: targetSlot,
      });
      target.inputs[targetSlot].link = id;
      this.outputs[slot].links = [...(this.outputs[slot].links ?? []), id];
      return { id };
    },
    getInputLink(slot) {
      return this.graph.links.get(this.inputs[slot].link);
    },
    isOutputConnected(slot) {
      return (this.outputs[slot]?.links ?? []).length > 0;
    },
    getBounding: () => [0, 0, 0, 0],
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
  loader.connect(0, lora, 0);
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
const from = linkedNode;

/** What the server says of the stock workflow; `asked` is what it was asked for. */
function page(root, reading = {}, asked = []) {
  const read = async (loader) => {
    asked.push(loader);
    return {
      model: "xl/dream.safetensors",
      family: "sdxl",
      positive: { text: "a castle", entries: [{ node: "3", input: "text" }] },
      unclear: [],
      ...reading,
    };
  };
  return { root, createNode: create, read };
}

const widget = (node, name) => node.widgets.find((candidate) => candidate.name === name).value;

test("a recommender chooses for the loader, and both read one text", async () => {
  const { graph, loader, positive } = stock();
  assert.deepEqual(await recommendFor(loader, page(graph)), { withPrompt: true });

  const recommender = only(graph, "ContextCheckpointRecommender");
  assert.equal(from(loader, "ckpt_name"), recommender);
  assert.equal(widget(recommender, "prompt"), "a castle", "where its dynamic prompts are drawn once");
  assert.equal(from(positive, "text"), recommender);
  assert.equal(graph.steps, 1, "one step to undo");
});

test("it keeps to the file and the architecture that the loader has, and its seed stays", async () => {
  const { graph, loader } = stock();
  await recommendFor(loader, page(graph));
  const recommender = only(graph, "ContextCheckpointRecommender");
  assert.equal(widget(recommender, "family"), "sdxl");
  assert.equal(widget(recommender, "fallback"), "xl/dream.safetensors");
  assert.equal(widget(recommender, "include"), "");
  assert.equal(widget(recommender, "control_after_generate"), "fixed");
});

test("it asks for the parts that the graph takes from the loader", async () => {
  for (const [slots, needs] of /** @type {[number[], string][]} */ ([
    [[1, 2], "CLIP and VAE"],
    [[1], "CLIP"],
    [[2], "VAE"],
    [[], "model only"],
  ])) {
    const { graph, loader } = stock();
    for (const slot of [1, 2]) if (!slots.includes(slot)) loader.outputs[slot].links = [];
    await recommendFor(loader, page(graph));
    assert.equal(widget(only(graph, "ContextCheckpointRecommender"), "needs"), needs);
  }
});

for (const [type, folder] of [
  ["UNETLoader", "diffusion_models"],
  ["UnetLoaderGGUF", "unet_gguf"],
]) {
  test(`a recommender for ${type} chooses from ${folder}`, async () => {
    const graph = new Graph();
    const loader = create(type);
    graph.add(loader);
    assert.ok(isLoader(loader));
    await recommendFor(loader, page(graph));
    const recommender = only(graph, "ContextCheckpointRecommender");
    assert.equal(widget(recommender, "folder"), folder);
    assert.equal(from(loader, "unet_name"), recommender);
  });
}

test("a file of an unknown architecture is the only one that it chooses", async () => {
  const { graph, loader } = stock();
  await recommendFor(loader, page(graph, { model: "odd, one.safetensors", family: "" }));
  assert.equal(widget(only(graph, "ContextCheckpointRecommender"), "include"), "odd? one.safetensors");
});

test("a text that is connected already is shared as it is", async () => {
  const { graph, loader, positive } = stock();
  const text = create("PrimitiveStringMultiline");
  graph.add(text);
  text.connect(0, positive, 1);

  await recommendFor(loader, page(graph));

  assert.equal(from(only(graph, "ContextCheckpointRecommender"), "prompt"), text);
  assert.equal(from(positive, "text"), text);
});

test("a primitive node's text goes through the recommender, where its dynamic prompt is drawn once", async () => {
  const { graph, loader, positive } = stock();
  const primitive = create("PrimitiveNode");
  graph.add(primitive);
  primitive.connect(0, positive, 1);

  await recommendFor(loader, page(graph));

  const recommender = only(graph, "ContextCheckpointRecommender");
  assert.equal(from(recommender, "prompt"), primitive);
  assert.equal(from(positive, "text"), recommender);
});

test("an encoder that has the same text twice gets it twice; two texts are left as they are", async () => {
  for (const [second, withPrompt] of [
    ["a castle", true],
    ["oil", false],
  ]) {
    const { graph, loader } = stock();
    const encoder = create("CLIPTextEncodeSDXL");
    graph.add(encoder);
    encoder.widgets[0].value = "a castle";
    encoder.widgets[1].value = second;
    const entries = ["text_g", "text_l"].map((input) => ({ node: String(encoder.id), input }));

    const { reason, ...wired } = await recommendFor(loader, page(graph, { positive: { text: "", entries } }));

    assert.deepEqual(wired, { withPrompt });
    assert.equal(reason?.[0].key, withPrompt ? undefined : "prompt_apart");
    const recommender = only(graph, "ContextCheckpointRecommender");
    for (const { input } of entries) assert.equal(from(encoder, input), withPrompt ? recommender : null);
    assert.deepEqual(
      encoder.widgets.map(({ value }) => value),
      ["a castle", second],
    );
  }
});

test("a prompt that is not clear is not connected, and the person is told which node stopped the search", async () => {
  const { graph, loader, positive } = stock();
  const parts = [{ text: "Writer (#9) makes the text when the workflow runs.", key: "graph_computed" }];
  const unclear = [{ field: "positive", parts }];

  assert.deepEqual(await recommendFor(loader, page(graph, { positive: null, unclear })), {
    withPrompt: false,
    reason: parts,
  });
  assert.equal(from(positive, "text"), null);
});

test("a loader whose choice is connected already is not offered a recommender", async () => {
  const { graph, loader } = stock();
  assert.ok(isLoader(loader));
  await recommendFor(loader, page(graph));
  assert.ok(!isLoader(loader));
});

test("it is offered on what loads a model by a checkpoint's name, and only there", () => {
  const node = (inputs, outputs) => ({
    inputs: inputs.map(([name, type = "COMBO"]) => ({ name, type, link: null })),
    outputs: outputs.map((type) => ({ name: type, type })),
  });
  const offered = {
    stock: node([["ckpt_name"]], ["MODEL", "CLIP", "VAE"]),
    efficiency: node([["ckpt_name"], ["vae_name"]], ["MODEL", "CONDITIONING", "CONDITIONING", "LATENT"]),
    efficiencySdxl: node([["base_ckpt_name"], ["refiner_ckpt_name"]], ["SDXL_TUPLE", "LATENT"]),
    easyUse: node([["ckpt_name"]], ["PIPE_LINE", "MODEL", "VAE"]),
  };
  const refused = {
    ltxAudioVae: node([["ckpt_name"]], ["VAE"]),
    hook: node([["ckpt_name"]], ["HOOKS"]),
    svd: node([["ckpt_name"]], ["MODEL", "CLIP_VISION", "VAE"]),
    unclip: node([["ckpt_name"]], ["MODEL", "CLIP", "VAE", "CLIP_VISION"]),
    frameInterpolation: node([["ckpt_name"]], ["IMAGE"]),
    context: node([["model", "MODEL"], ["ckpt_name"]], ["MODEL"]),
  };
  for (const [name, candidate] of Object.entries(offered)) assert.ok(isLoader(candidate), name);
  for (const [name, candidate] of Object.entries(refused)) assert.ok(!isLoader(candidate), name);
});

/** A stock workflow inside a subgraph whose loader and prompt are set outside, on node 1 of the root. */
function inSubgraph() {
  const inside = stock();
  const root = new Graph();
  inside.graph.inputs = [{ name: "ckpt_name" }, { name: "text" }];
  inside.graph.fromOutside(0, inside.loader, 0);
  inside.graph.fromOutside(1, inside.positive, 1);
  root.subgraphs = new Map([["uuid", inside.graph]]);
  const use = create("Subgraph");
  use.subgraph = inside.graph;
  use.widgets[1].value = "a promoted castle";
  root.add(use);
  return { ...inside, root, use };
}

const insideEntry = { positive: { text: "", entries: [{ node: "1:3", input: "text" }] } };

test("a loader that is set outside of its subgraph gets its recommender there, and no link is lost", async () => {
  const { root, loader, positive, use } = inSubgraph();
  const asked = [];
  assert.ok(isLoader(loader));

  assert.deepEqual(await recommendFor(loader, page(root, insideEntry, asked)), { withPrompt: true });

  const recommender = only(root, "ContextCheckpointRecommender");
  assert.deepEqual(asked, ["1:1"]);
  assert.equal(from(use, "ckpt_name"), recommender);
  assert.equal(from(use, "text"), recommender);
  assert.equal(widget(recommender, "prompt"), "a promoted castle");
  assert.equal(loader.getInputLink(0).origin_id, -10);
  assert.equal(positive.getInputLink(1).origin_id, -10);
});

test("a prompt that is set outside is not cut off from a loader inside", async () => {
  const { root, graph, loader, positive } = inSubgraph();
  loader.inputs[0].link = null;

  const { withPrompt } = await recommendFor(loader, page(root, insideEntry));

  assert.equal(withPrompt, false);
  assert.equal(from(loader, "ckpt_name"), only(graph, "ContextCheckpointRecommender"));
  assert.equal(positive.getInputLink(1).origin_id, -10);
});

test("where something would break, nothing is changed and the person is told what to do", async () => {
  const cases = {
    several_uses: ({ root, use }) => root.add({ ...create("Subgraph"), subgraph: use.subgraph }),
    chosen_outside: ({ root, use }) => {
      const text = create("PrimitiveStringMultiline");
      root.add(text);
      text.connect(0, use, 0);
    },
    shown_outside: ({ use, loader }) => {
      loader.inputs[0].link = null;
      use.properties = { proxyWidgets: [[String(loader.id), "ckpt_name"]] };
    },
  };
  for (const [key, change] of Object.entries(cases)) {
    const made = inSubgraph();
    change(made);
    const before = made.root.nodes.length;
    await assert.rejects(recommendFor(made.loader, page(made.root)), (error) => error.parts[0].key === key);
    assert.equal(made.root.nodes.length, before);
  }
});

test("feedback on a hand-wired output is wired to the only recommender", async () => {
  const { graph, loader, decoder } = stock();
  await recommendFor(loader, page(graph));
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

test("a ComfyUI without the nodes is an error that says so", async () => {
  const { graph, loader } = stock();
  const without = { ...page(graph), createNode: () => null };
  await assert.rejects(recommendFor(loader, without), {
    message: "ComfyUI has no node ContextCheckpointRecommender.",
    parts: [
      {
        text: "ComfyUI has no node ContextCheckpointRecommender.",
        key: "no_node",
        values: { type: "ContextCheckpointRecommender" },
      },
    ],
  });
});

test("the text of a connected text node is known before a run, that of another node is not", async () => {
  const { graph, loader, positive } = stock();
  const text = create("PrimitiveStringMultiline");
  graph.add(text);
  text.widgets[0].value = "a castle";
  text.connect(0, positive, 1);
  await recommendFor(loader, page(graph));
  const recommender = only(graph, "ContextCheckpointRecommender");
  assert.equal(valuesOf(recommender).prompt, "a castle");

  positive.connect(0, recommender, 0);
  assert.equal(valuesOf(recommender), null);
});

test("a copy that is in no graph yet has the values of its widgets and no links", () => {
  const copy = create("ContextCheckpointRecommender");
  copy.widgets[0].value = "a castle";
  copy.getInputLink = () => {
    throw new Error("Attempted to access LGraph reference that was null or undefined.");
  };
  assert.equal(valuesOf(copy).prompt, "a castle");
});

test("the link into a subgraph's node is found, whose own method means its outputs", () => {
  const { loader, decoder } = stock();
  decoder.subgraph = new Graph();
  decoder.getInputLink = () => ({ origin_id: "5:1", origin_slot: 0 });
  assert.equal(linkedNode(decoder, "vae"), loader);
  assert.equal(linkedNode(loader, "ckpt_name"), null);
});

/** The stock workflow with a recommender that chooses for its loader. */
function recommended() {
  const made = stock();
  const recommender = create("ContextCheckpointRecommender");
  made.graph.add(recommender);
  recommender.connect(1, made.loader, 0);
  const text = create("PrimitiveStringMultiline");
  made.graph.add(text);
  text.widgets[0].value = "lowres";
  return { ...made, recommender, text };
}

test("a word is added to the negative prompt of the images that a recommender is for, in one step to undo", () => {
  const { graph, recommender, negative } = recommended();
  const place = negativeText(recommender);
  assert.equal(place.node, negative);
  addWord(place, "bad hand");
  assert.equal(negative.widgets[0].value, "blurry, bad hand");
  assert.equal(graph.steps, 1);
  negative.widgets[0].value = " ";
  addWord(place, "fog");
  assert.equal(negative.widgets[0].value, "fog");
});

test("the negative prompt may be typed in a text node, before a settings node or for the recommender too", () => {
  const { graph, recommender, negative, text } = recommended();
  const settings = create("ContextSettingsRecommender");
  graph.add(settings);
  settings.connect(0, negative, 1);
  assert.equal(negativeText(recommender).node, settings);
  text.connect(0, settings, 1);
  assert.equal(negativeText(recommender).node, text);
  const other = create("PrimitiveStringMultiline");
  graph.add(other);
  other.connect(0, recommender, 1);
  assert.equal(negativeText(recommender).node, other);
});

test("a negative prompt that is computed, or comes from outside of a subgraph, is nowhere to type in", () => {
  const { graph, recommender, negative, text, decoder } = recommended();
  decoder.connect(0, text, 0);
  text.connect(0, negative, 1);
  assert.equal(negativeText(recommender), null);
  graph.fromOutside(0, negative, 1);
  assert.equal(negativeText(recommender), null);
});
