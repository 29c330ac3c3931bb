"""The words that are suggested for a plan's negative prompt, and the plan with them.

Separate from `learned_settings`, because they are the same for all branches: a generation has one negative prompt, and
its checkpoints are compared with the same words. A plan never fails because of what is asked here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .. import runtime
from ..learning.message import parts_of
from ..learning.negative_words import SuggestedWord
from ..learning.profiles import from_kept_images
from ..learning.values import Branch, Recommendation
from ..recipes.settings import Settings

log = logging.getLogger(__name__)


async def suggested_words(plan: Recommendation, negative: str) -> tuple[SuggestedWord, ...]:
    """Return what a negative prompt lacks that has each checkpoint's own words too."""
    there = ", ".join([negative, *(branch.settings.negative or "" for branch in plan.branches)])
    checkpoint = plan.checkpoints[0] if len(plan.checkpoints) == 1 else None
    try:
        return await runtime.current().run(
            lambda service: service.suggest_negative_prompt(plan.prompt, checkpoint, negative=there)
        )
    except Exception as error:  # a workflow never fails because learning failed
        log.warning("No words can be suggested for the negative prompt: %s", error)
        return ()


def with_words(plan: Recommendation, negative: str, words: Sequence[SuggestedWord]) -> Recommendation:
    """The plan whose branches have these words last in their negative prompts, and which is logged with them.

    Parameters
    ----------
    negative
        What the words are added to.
    """
    from ..learning.prompts.keywords import negative_keywords  # late: ComfyUI's start does not need it

    if not words:
        return plan
    added = Settings(negative=", ".join(each.word for each in words))
    known = {word.text for word in plan.keywords}
    drawn = negative_keywords(added.negative_with(negative))
    keywords = (*plan.keywords, *(word for word in drawn if word.text not in known))
    return replace(
        plan,
        keywords=keywords if plan.keywords else (),
        branches=tuple(_with(branch, added) for branch in plan.branches),
    )


def _with(branch: Branch, added: Settings) -> Branch:
    own = branch.settings.negative
    return replace(
        branch,
        settings=replace(branch.settings, negative=added.negative_with(own or "")),
        sources={"negative": from_kept_images(), **branch.sources},
    )


def as_ui(words: Sequence[SuggestedWord]) -> list[dict[str, Any]]:
    """Return what the browser shows of them, in the shape of `POST /suggest/negative`."""
    return [{"word": each.word, "reason": each.reason, "reason_parts": list(parts_of(each.reason))} for each in words]
