"""What a node needs to build a graph of ComfyUI's nodes: an expansion, an empty list output, KSampler's options."""

from __future__ import annotations

import comfy.samplers
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder
from comfy_execution.utils import get_executing_context


def new_expansion() -> GraphBuilder:
    """Begin an expansion of the node that runs now.

    The prefix is explicit (GraphBuilder's own default is shared by the whole process). It contains the position in
    the list over which ComfyUI maps the node, so that two plans at one node do not share sub-nodes.
    """
    context = get_executing_context()
    return GraphBuilder(GraphBuilder.alloc_prefix(context.node_id, context.list_index or 0, 0))


def empty_list_output() -> list[ExecutionBlocker]:
    """Return a list output that passes nothing on; ComfyUI crashes on an empty list."""
    return [ExecutionBlocker(None)]


def sampler_names() -> list[str]:
    return list(comfy.samplers.KSampler.SAMPLERS)


def scheduler_names() -> list[str]:
    return list(comfy.samplers.KSampler.SCHEDULERS)
