"""The lines that a decision leaves in the log, where the setting asks for them.

One line for programs, or the two of the design document for people. The document's wording is fixed, because
people search for it. What it does not cover (a draft, exploring switched off) has its own wording here, since
"Low confidence (0.75)" would mislead. Separate from `explanation`, whose wording may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..names import shown_name
from ..values import Recommendation
from .decision import Decision

_LONGEST_PROMPT = 300

DecisionLogMode = Literal["", "decisions", "document"]
"""Nothing, one line per decision, or the document's two."""

DECISION_LOG_MODES: tuple[DecisionLogMode, ...] = ("", "decisions", "document")


def line(recommendation: Recommendation, took_s: float, *, with_prompt: bool = True) -> str:
    """One decision as `name=value`; texts are quoted, so that none of them looks like another line."""
    parts = {
        "strategy": recommendation.strategy,
        "checkpoints": list(recommendation.checkpoints),
        "confidence": f"{recommendation.confidence:.3f}",
        "evidence": f"{recommendation.evidence:.3f}",
        "clarity": f"{recommendation.clarity:.3f}",
        "policy": recommendation.policy,
        "stage": recommendation.stage,
        "candidates": len(recommendation.scores),
        "keywords": len(recommendation.keywords),
        "ms": f"{took_s * 1e3:.2f}",
        "prompt": repr(_short(recommendation.prompt)) if with_prompt else "(not kept)",
    }
    return "decision " + " ".join(f"{name}={value}" for name, value in parts.items())


def lines(decision: Decision, *, with_prompt: bool = True) -> Iterator[str]:
    """The document's two lines, and a third about pins; where no prompt is to be kept, the log gets none."""
    question, learned = decision.question, decision.learned
    confidence, names = f"{decision.ranking.confidence:.2f}", [shown_name(name) for name in learned.checkpoints]
    yield (
        f"Context-aware checkpoint recommendation: {names[0]} (confidence: {confidence}) "
        f"for prompt: {_short(question.prompt) if with_prompt else '(not kept)'}"
    )
    if not question.explore:
        yield f"Exploring is off (confidence {confidence}), using single checkpoint: {names[0]}"
    elif question.stage == "draft":
        yield f"Draft stage (confidence {confidence}), exploring {len(names)} checkpoints: {names}"
    elif decision.ranking.confidence > question.thresholds.exploit:
        yield f"High confidence ({confidence}), using single checkpoint: {names[0]}"
    elif len(names) == 1:
        yield f"No other checkpoint to compare (confidence {confidence}), using single checkpoint: {names[0]}"
    elif decision.ranking.confidence > question.thresholds.explore:
        yield f"Medium confidence ({confidence}), testing top {len(names)}: {names}"
    else:
        yield f"Low confidence ({confidence}), exploring {len(names)} checkpoints: {names}"
    if decision.pinned:
        yield f"Pinned, so shown whatever was learned: {list(decision.pinned)}"


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= _LONGEST_PROMPT else f"{line[:_LONGEST_PROMPT]}..."
