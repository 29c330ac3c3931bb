"""`RecommendedCheckpointLoader`: a plan's checkpoints as lists of MODEL, CLIP and VAE for a person's own graph.

Unlike the stock loader it keeps what it loaded between prompts, and a checkpoint that cannot be loaded drops out of the
lists instead of failing the prompt. All of a plan's checkpoints are in memory at once, since the lists hold them;
`MultiCheckpointSampler` needs only one at a time.
"""

from __future__ import annotations

import logging

from comfy_api.latest import io

from ..learning.message import error_text
from ..learning.names import shown_name
from ..learning.values import Recommendation
from .branch_nodes import NoCheckpointLeft, drop_out_message, drop_out_ui, without_plan
from .comfy.messages import show_on_node, with_parts_sent
from .loading.checkpoint_loading import CannotLoad, end_branch, load, warm_first
from .socket_types import PlanType

log = logging.getLogger(__name__)


class RecommendedCheckpointLoader(io.ComfyNode):
    """Loads a plan's checkpoints; ComfyUI then runs the rest of the graph once for each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecommendedCheckpointLoader",
            display_name="Recommended Checkpoint Loader",
            category="Context Checkpoint",
            description="Loads the recommended checkpoints for your own graph, which then runs once for "
            "each. Diffusion models give MODEL only. They stay in memory between prompts, within the limits in "
            "the settings.",
            search_aliases=["load checkpoint", "checkpoint loader", "recommended", "model"],
            not_idempotent=True,
            # Optional, so that a recommender that is bypassed or muted fails no prompt.
            inputs=[PlanType.Input("plan", optional=True, tooltip="From the Context Checkpoint Recommender.")],
            outputs=[
                io.Model.Output(is_output_list=True),
                io.Clip.Output(is_output_list=True),
                io.Vae.Output(is_output_list=True),
                io.String.Output(
                    "ckpt_names",
                    is_output_list=True,
                    tooltip="The names of the loaded checkpoints. Connect it to the Feedback Recorder.",
                ),
            ],
        )

    @classmethod
    def execute(cls, plan: Recommendation | None = None) -> io.NodeOutput:
        if plan is None:
            return without_plan(cls)
        loaded, dropped = {}, {}
        for name in warm_first(dict.fromkeys(branch.checkpoint for branch in plan.all_branches)):
            try:
                loaded[name] = load(name, plan.needs)
            except CannotLoad as error:
                log.warning("Checkpoint %s drops out of this generation: %s", shown_name(name), error)
                dropped[name] = error_text(error)
        end_branch()
        if not loaded:
            raise with_parts_sent(NoCheckpointLeft(dropped))
        if dropped:
            show_on_node(drop_out_message(dropped))
        names = [branch.checkpoint for branch in plan.all_branches if branch.checkpoint in loaded]
        return io.NodeOutput(
            [loaded[name].model for name in names],
            [loaded[name].clip for name in names],
            [loaded[name].vae for name in names],
            names,
            ui=drop_out_ui(dropped),
        )
