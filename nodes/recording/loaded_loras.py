"""With which LoRAs our loader gave the checkpoints of a plan, for the log of what a person's graph makes of them.

The queued prompt does not say it: a stack may be computed, and what fits no checkpoint is left out. Kept by the
loader's node and the very plan, because ComfyUI serves both from its cache as long as nothing before them changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ...learning.values import Recommendation
from ...recipes import Lora

_CAPACITY = 100
_loaded: OrderedDict[tuple[str, int], tuple[Recommendation, tuple[tuple[Lora, ...], ...]]] = OrderedDict()


def remember(node: str, plan: Recommendation, loras: Sequence[tuple[Lora, ...]]) -> None:
    """Keep the LoRAs of each entry of a loader's lists."""
    _loaded[node, id(plan)] = plan, tuple(loras)
    _loaded.move_to_end((node, id(plan)))
    while len(_loaded) > _CAPACITY:
        _loaded.popitem(last=False)


def loaded_loras(node: str, plan: Recommendation) -> tuple[tuple[Lora, ...], ...] | None:
    """Return them; None where this node loaded nothing of this plan."""
    kept = _loaded.get((node, id(plan)))  # an id is not used again while the plan is kept here
    return None if kept is None else kept[1]
