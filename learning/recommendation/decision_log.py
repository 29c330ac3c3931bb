"""The lines that tell, in the log, what was recommended and what is done with it; nothing unless asked for.

One line for programs, or the two of the design document for people, whose wording is fixed: it is searched.
What the document does not fix (a draft, exploring switched off) has wordings of its own here, since "Low
confidence (0.75)" would mislead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..values import Recommendation, Thresholds

_LONGEST_PROMPT = 300

DecisionLogMode = Literal["", "decisions", "document"]
"""Nothing, one line per decision, or the document's two."""

DECISION_LOG_MODES: tuple[DecisionLogMode, ...] = ("", "decisions", "document")


def line(made: Recommendation, took_s: float, *, with_prompt: bool = True) -> str:
    """One decision as `name=value`; texts are quoted, so that none of them looks like another line."""
    parts = {
        "strategy": made.strategy,
        "checkpoints": list(made.checkpoints),
        "confidence": f"{made.confidence:.3f}",
        "evidence": f"{made.evidence:.3f}",
        "clarity": f"{made.clarity:.3f}",
        "policy": made.policy,
        "stage": made.stage,
        "candidates": len(made.scores),
        "keywords": len(made.keywords),
        "ms": f"{took_s * 1e3:.2f}",
        "prompt": repr(_short(made.prompt)) if with_prompt else "(not kept)",
    }
    return "decision " + " ".join(f"{name}={value}" for name, value in parts.items())


def lines(made: Recommendation, thresholds: Thresholds, *, explore: bool, with_prompt: bool = True) -> Iterator[str]:
    """The two lines for one recommendation; where no prompt is to be kept, the log gets none either."""
    confidence, names = f"{made.confidence:.2f}", list(made.checkpoints)
    yield (
        f"Context-aware checkpoint recommendation: {names[0]} (confidence: {confidence}) "
        f"for prompt: {_short(made.prompt) if with_prompt else '(not kept)'}"
    )
    if not explore:
        yield f"Exploring is off (confidence {confidence}), using single checkpoint: {names[0]}"
    elif made.stage == "draft":
        yield f"Draft stage (confidence {confidence}), exploring {len(names)} checkpoints: {names}"
    elif made.confidence > thresholds.exploit:
        yield f"High confidence ({confidence}), using single checkpoint: {names[0]}"
    elif len(names) == 1:
        yield f"No other checkpoint to compare (confidence {confidence}), using single checkpoint: {names[0]}"
    elif made.confidence > thresholds.explore:
        yield f"Medium confidence ({confidence}), testing top {len(names)}: {names}"
    else:
        yield f"Low confidence ({confidence}), exploring {len(names)} checkpoints: {names}"


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= _LONGEST_PROMPT else f"{line[:_LONGEST_PROMPT]}..."
