"""A ComfyUI page in a real Chromium, used as by a person: load a workflow, run it, press buttons, drag links.

The browser tests and `demo.pictures` share it. Separate from the server, which knows no browser: only this needs
Playwright and Chromium.
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
    "--no-sandbox",  # it opens only our own pages; as root it does not start otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RUN_TIMEOUT_S = 60.0

Workflow = Mapping[str, Any]
"""In the format that the frontend saves, not in API form."""


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
    """One tab; `errors` has its uncaught errors and those that the pack logs."""

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
        """Add and link nodes on an empty canvas, as a person would, and return the workflow.

        Each has `type` and `pos`, and may have `size`, `title`, `widgets` (values by name, `""` for the
        first) and `inputs` (what feeds them, as `"name.output"`).
        """
        await self.page.evaluate(_BUILD, placed)
        await self.settle()
        workflow: Workflow = await self.page.evaluate("window.app.rootGraph.serialize()")
        return workflow

    async def settle(self) -> None:
        """Wait until the frontend has laid out a change."""
        await self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))")

    async def run(self) -> Mapping[str, Any]:
        """Press Run, wait until the prompt has ended, and return its history.

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
        """Set widgets of the first node of a type."""
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
        """Zoom and move the canvas so that every node is visible and no bar of the frontend covers it."""
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
        """Return the nodes' bounds on the page: left, top, right and bottom."""
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
        """Drag a link with the mouse, from the first node of one type to the first of another."""
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
        """The newest notice with this text. Frontends before 1.57 have no `data-testid` for it."""
        return self.page.locator("[data-testid=toast], .p-toast-message").filter(has_text=text).last


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
        "ContextCheckpoint.Started": True,  # else the toast of the first start lies over what is pressed
        "Comfy.Minimap.Visible": False,  # it would cover a node's buttons
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
    # ComfyUI warns about deprecated calls, and names the extension or its file.
    compact = re.sub("[^a-z]", "", f"{message.text} {message.location}".lower())
    if message.type == "warning" and "deprecated" in compact and "contextcheckpoint" in compact:
        errors.append(message.text)
    # Chromium logs each response of 400 and more; only the test knows whether that is an error.
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
  const created = {};
  for (const [name, { type, pos, size = [0, 0], widgets = {}, title }] of Object.entries(placed)) {
    const node = LiteGraph.createNode(type);
    if (!node) throw new Error(`There is no node ${type}`);
    created[name] = node;
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
      const target = created[name].inputs.findIndex((input) => input.name === inputName);
      const slot = created[source].outputs.findIndex((candidate) => candidate.name === output);
      if (!created[source].connect(slot, created[name], target)) {
        throw new Error(`${from} cannot be connected to ${name}.${inputName}`);
      }
    }
  }
}"""
