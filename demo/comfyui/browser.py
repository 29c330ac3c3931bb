"""A ComfyUI page in a real Chromium, used as a person uses it: load a workflow, run it, look, press, drag.

Shared by the tests of what the browser shows and by the maker of the example workflows. Separate from the
server, which knows nothing of browsers; needs Playwright and Chromium, which nothing else does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright

from .server import ComfyServer

CHROMIUM_FLAGS = (
    "--no-sandbox",  # it shows only what we serve; as root it would not start otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RUN_TIMEOUT_S = 60.0

Workflow = Mapping[str, Any]
"""In the form that the frontend saves, not the API's."""


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Browser]:
    """Start the Chromium at `program` without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(slots=True)
class ComfyPage:
    """One tab; `errors` has what went wrong in it, uncaught or logged by the pack."""

    server: ComfyServer
    page: Page
    errors: list[str] = field(default_factory=list)

    async def open(self) -> None:
        """Load the page, or load it again, and wait until workflows can be used."""
        await self.page.goto(self.server.url)
        await self.page.wait_for_function(
            "window.app?.extensionManager?.workflow?.activeWorkflow && window.app.rootGraph", timeout=60_000
        )
        await self.page.wait_for_load_state("networkidle")

    async def load(self, workflow: Workflow) -> None:
        await self.page.evaluate("(workflow) => window.app.loadGraphData(workflow)", workflow)
        await self.settle()

    async def build(self, placed: Mapping[str, Mapping[str, Any]]) -> Workflow:
        """Add and wire nodes as a person would, on an empty canvas, and return the workflow.

        Each has `type` and `pos`, and may have `size`, `title`, `widgets` (values by name, `""` for the
        first) and `inputs` (what feeds them, as `"name.output"`).
        """
        await self.page.evaluate(_BUILD, placed)
        await self.settle()
        workflow: Workflow = await self.page.evaluate("window.app.rootGraph.serialize()")
        return workflow

    async def settle(self) -> None:
        """Let the frontend lay out what has changed."""
        await self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))")

    async def run(self) -> Mapping[str, Any]:
        """Press Run, wait for the end, and return the prompt's history.

        Raises
        ------
        TimeoutError
            If no prompt was queued (the frontend refused it) or it did not end.
        """
        before = set(self.server.get("/history"))
        await self.page.get_by_test_id("queue-button").click()
        for _ in range(round(RUN_TIMEOUT_S / 0.1)):
            await asyncio.sleep(0.1)
            history = self.server.get("/history")
            for prompt_id in history.keys() - before:
                await self.settle()
                entry: Mapping[str, Any] = history[prompt_id]
                return entry
        raise TimeoutError("Nothing ran: " + "; ".join(self.errors))

    async def set_widgets(self, node_type: str, **values: Any) -> None:
        """Give widgets of the first node of a type other values."""
        await self.page.evaluate(
            """([type, values]) => {
              const node = window.app.rootGraph.nodes.find((candidate) => candidate.type === type);
              for (const [name, value] of Object.entries(values)) {
                const widget = node.widgets.find((candidate) => candidate.name === name);
                if (!widget) throw new Error(`${type} has no widget ${name}`);
                widget.value = value;
              }
            }""",
            [node_type, values],
        )

    async def show_all(self) -> None:
        """Zoom and move the canvas until every node is in sight, clear of the frontend's own bars."""
        await self.page.evaluate(
            f"""() => {{
              const {{ canvas }} = window.app;
              const [left, top, right, bottom] = ({_BOUNDS})();
              const {{ clientWidth, clientHeight }} = canvas.canvas;
              const free = [clientWidth - 110, clientHeight - 160];
              const scale = Math.min(1, free[0] / (right - left), free[1] / (bottom - top));
              canvas.ds.scale = scale;
              canvas.ds.offset = [80 / scale - left, 120 / scale - top];
              canvas.setDirty(true, true);
            }}"""
        )
        await self.settle()

    async def bounds(self) -> tuple[float, float, float, float]:
        """Where the nodes are on the page: left, top, right and bottom."""
        left, top, right, bottom = await self.page.evaluate(
            f"""() => {{
              const {{ canvas }} = window.app;
              const corner = canvas.canvas.getBoundingClientRect();
              const edges = [corner.left, corner.top, corner.left, corner.top];
              const {{ offset, scale }} = canvas.ds;
              return ({_BOUNDS})().map((at, side) => edges[side] + (at + offset[side % 2]) * scale);
            }}"""
        )
        return left, top, right, bottom

    async def drag_link(self, source: str, output: str, target: str, input_name: str) -> None:
        """Draw a link with the mouse, from the first node of one type to the first of another."""
        start, end = await self.page.evaluate(
            """([source, output, target, input]) => {
              const { rootGraph, canvas } = window.app;
              const find = (type) => rootGraph.nodes.find((node) => node.type === type);
              const from = find(source), to = find(target);
              const corner = canvas.canvas.getBoundingClientRect();
              const onScreen = ([x, y]) => [
                corner.left + (x + canvas.ds.offset[0]) * canvas.ds.scale,
                corner.top + (y + canvas.ds.offset[1]) * canvas.ds.scale,
              ];
              const slot = (slots, name) => slots.findIndex((candidate) => candidate.name === name);
              return [
                onScreen(from.getOutputPos(slot(from.outputs, output))),
                onScreen(to.getInputPos(slot(to.inputs, input))),
              ];
            }""",
            [source, output, target, input_name],
        )
        mouse = self.page.mouse
        await mouse.move(*start)
        await mouse.down()
        await mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=5)
        await mouse.move(*end, steps=5)
        await mouse.up()
        await self.settle()

    def toast(self, text: str) -> Locator:
        return self.page.locator(".p-toast-message", has_text=text)


@asynccontextmanager
async def comfy_page(
    browser: Browser,
    server: ComfyServer,
    *,
    nodes_2: bool,
    size: tuple[int, int],
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[ComfyPage]:
    """Open ComfyUI in a fresh tab: Nodes 2.0 or the classic canvas, with further settings of the frontend."""
    for name, value in {
        "Comfy.VueNodes.Enabled": nodes_2,
        "Comfy.TutorialCompleted": True,
        "Comfy.Minimap.Visible": False,  # it would lie over a node's buttons
        **settings,
    }.items():
        server.post(f"/api/settings/{name}", value)
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = await context.new_page()
    opened = ComfyPage(server, page)
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.on("console", lambda message: _keep_ours(message, opened.errors))
    try:
        await opened.open()
        yield opened
    finally:
        await context.close()


def _keep_ours(message: ConsoleMessage, errors: list[str]) -> None:
    # ComfyUI warns of what extensions should do no longer, and names the extension or its file.
    told = re.sub("[^a-z]", "", f"{message.text} {message.location}".lower())
    if message.type == "warning" and "deprecated" in told and "contextcheckpoint" in told:
        errors.append(message.text)
    # Chromium itself logs each answer of 400 and more; whether that is wrong, only the caller knows.
    refused = message.text.startswith("Failed to load resource")
    if message.type == "error" and not refused and "context_checkpoint" in f"{message.text} {message.location}":
        errors.append(message.text)


_BOUNDS = """() => {
  const { nodes } = window.app.rootGraph;
  const least = (axis) => Math.min(...nodes.map((node) => node.pos[axis]));
  const most = (axis) => Math.max(...nodes.map((node) => node.pos[axis] + node.size[axis]));
  return [least(0), least(1) - 40, most(0), most(1)];
}"""

_BUILD = """async (placed) => {
  const app = window.app;
  const empty = { last_node_id: 0, last_link_id: 0, nodes: [], links: [], groups: [], config: {}, extra: {} };
  await app.loadGraphData({ ...empty, version: 0.4 });
  const made = {};
  for (const [name, { type, pos, size = [0, 0], widgets = {}, title }] of Object.entries(placed)) {
    const node = LiteGraph.createNode(type);
    if (!node) throw new Error(`There is no node ${type}`);
    made[name] = node;
    node.pos = pos;
    if (title) node.title = title;
    app.rootGraph.add(node);
    for (const [widgetName, value] of Object.entries(widgets)) {
      const widget = node.widgets.find((candidate) => widgetName === "" || candidate.name === widgetName);
      if (!widget) throw new Error(`${type} has no widget ${widgetName}`);
      widget.value = value;
    }
    const least = node.computeSize();
    node.setSize([size[0] || least[0], Math.max(size[1], least[1])]);
  }
  for (const [name, { inputs = {} }] of Object.entries(placed)) {
    for (const [inputName, from] of Object.entries(inputs)) {
      const [source, output] = from.split(".");
      const target = made[name].inputs.findIndex((input) => input.name === inputName);
      const slot = made[source].outputs.findIndex((candidate) => candidate.name === output);
      if (!made[source].connect(slot, made[name], target)) {
        throw new Error(`${from} cannot be connected to ${name}.${inputName}`);
      }
    }
  }
}"""
