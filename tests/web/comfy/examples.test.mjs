// Which examples fit what a person has, read from the real files; and what is set when one is opened.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { examples, lacking, needsOf, openExample } from "../../../web/comfy/examples.mjs";

const FOLDER = new URL("../../../example_workflows/", import.meta.url);
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(".json", ""));
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
const needs = (name) => needsOf(read(name));
const model = (changes = {}) => ({
  folder: "checkpoints",
  family: "sdxl",
  files: 3,
  whole: 3,
  text_alone: true,
  loras: 0,
  ...changes,
});

test("every example has a title in every language", () => {
  for (const language of ["en", "zh", "ja"]) {
    const file = new URL(`../../../locales/${language}/main.json`, import.meta.url);
    const texts = JSON.parse(readFileSync(file, "utf8")).contextCheckpoint;
    const untitled = NAMES.filter((name) => !texts[`example_${name}`] || !texts[`example_${name}_text`]);
    assert.deepEqual(untitled, [], language);
  }
});

test("what an example needs is read from its nodes", () => {
  assert.deepEqual(needs("three_nodes"), { folder: "checkpoints", draft: false, loras: false });
  assert.deepEqual(needs("diffusion_models"), { folder: "diffusion_models", draft: false, loras: false });
  assert.deepEqual(needs("loras"), { folder: "checkpoints", draft: false, loras: true });
  assert.equal(needs("draft_then_final").draft, true);
  const inside = { nodes: [], definitions: { subgraphs: [{ nodes: [{ type: "ContextLoraRecommender" }] }] } };
  assert.equal(needsOf(inside).loras, true);
});

test("an example fits where its files are, and else names what is lacking", () => {
  const [simple, diffusion, loras] = ["three_nodes", "diffusion_models", "loras"].map(needs);
  const flux = model({ folder: "diffusion_models", family: "flux", whole: 3 });
  assert.equal(lacking(simple, [model()]), "");
  assert.equal(lacking(simple, [flux]), "checkpoints");
  assert.equal(lacking(simple, [model({ whole: 0 })]), "checkpoints");
  assert.equal(lacking(simple, [model({ text_alone: false })]), "checkpoints");
  assert.equal(lacking(diffusion, [model()]), "diffusion_models");
  assert.equal(lacking(diffusion, [flux]), "");
  assert.equal(lacking(loras, [model()]), "loras");
  assert.equal(lacking(loras, [model({ loras: 2 })]), "");
});

/** The part of ComfyUI that lists and opens; `nodes` are those of the opened workflow. */
function comfy(nodes = [], added = {}) {
  const opened = [];
  const served = (path) => {
    if (path === "/workflow_templates") return { "my pack": [...NAMES], other: ["x"] };
    return read(path.split("/").at(-1).replace(".json", ""));
  };
  return {
    opened,
    pack: "my pack",
    fetchApi: async (path) => ({ ok: true, json: async () => served(path) }),
    apiUrl: (path) => `/api${path}`,
    open: async (workflow, name) => opened.push([name, workflow]),
    nodes: () => nodes,
    refresh: async () => {
      for (const widget of nodes.flatMap(({ widgets }) => widgets))
        widget.options.values?.push(...(added[widget.name] ?? []));
    },
  };
}

test("the pack's own examples are listed, the simplest first", async () => {
  const listed = await examples(comfy());
  assert.deepEqual(listed.map(({ name }) => name).sort(), [...NAMES].sort());
  assert.equal(listed[0].name, "three_nodes");
  assert.equal(listed[0].picture, "/api/workflow_templates/my%20pack/three_nodes.jpg");
});

const widget = (name, value, values) => ({ name, value, options: values ? { values } : {} });
const node = (comfyClass, widgets, { linked = [] } = {}) => ({
  comfyClass,
  title: comfyClass,
  widgets,
  inputs: widgets.map(({ name }) => ({ name, widget: { name } })),
  getInputLink: (slot) => (linked.includes(widgets[slot].name) ? {} : null),
});
const valuesOf = ({ widgets }) => Object.fromEntries(widgets.map(({ name, value }) => [name, value]));

test("opening sets the family that there is most of, a size that suits it, and files that are there", async () => {
  const recommender = node("ContextCheckpointRecommender", [widget("family", "auto", ["auto", "sd15", "sdxl"])]);
  const sampler = node("MultiCheckpointSampler", [widget("width", 512), widget("height", 512)]);
  const loader = node("CheckpointLoaderSimple", [widget("ckpt_name", "", ["a"])], { linked: ["ckpt_name"] });
  const encoder = node("CLIPLoader", [
    widget("clip_name", "", ["t5.safetensors", "clip.safetensors"]),
    widget("type", "sd3", ["sd3"]),
  ]);
  const vae = node("VAELoader", [widget("vae_name", "", ["pixel_space"])]);
  const page = comfy([recommender, sampler, loader, encoder, vae]);
  const [example] = await examples(page);

  const lacks = await openExample(example, [model(), model({ family: "sd15", files: 1 })], page);

  assert.deepEqual(valuesOf(recommender), { family: "sdxl" });
  assert.deepEqual(valuesOf(sampler), { width: 1024, height: 1024 });
  assert.deepEqual(valuesOf(loader), { ckpt_name: "" });
  assert.deepEqual(valuesOf(encoder), { clip_name: "t5.safetensors", type: "sd3" });
  assert.deepEqual(lacks, ["VAELoader"]);
  assert.equal(page.opened[0][0], "three_nodes");
  assert.notEqual(page.opened[0][1], example.workflow);
});

test("with one family it stays with auto, and SD 1.5 keeps its size", async () => {
  const recommender = node("ContextCheckpointRecommender", [widget("family", "auto", ["auto", "sd15"])]);
  const sampler = node("MultiCheckpointSampler", [widget("width", 512), widget("height", 512)]);
  const page = comfy([recommender, sampler]);
  const [example] = await examples(page);

  await openExample(example, [model({ family: "sd15" })], page);

  assert.deepEqual(valuesOf(recommender), { family: "auto" });
  assert.deepEqual(valuesOf(sampler), { width: 512, height: 512 });
});

test("files that were added since the page was opened are found", async () => {
  const vae = node("VAELoader", [widget("vae_name", "", ["pixel_space"])]);
  const page = comfy([vae], { vae_name: ["flux.safetensors"] });
  const [example] = await examples(page);

  assert.deepEqual(await openExample(example, [model()], page), []);
  assert.deepEqual(valuesOf(vae), { vae_name: "flux.safetensors" });
});
