"""Why a recommendation is what it is, in words and in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .values import Evidence, Keyword, Ranking, Stage, Strategy


def one_sentence(
    ranking: Ranking, checkpoints: Sequence[str], strategy: Strategy, *, stage: Stage, policy: str
) -> str:
    """Say what is done and how sure it is."""
    return (
        f"{strategy.replace('_', ' + ')} {', '.join(checkpoints)} with confidence {ranking.confidence:.2f}."
    )


def in_full(
    ranking: Ranking, keywords: Sequence[Keyword], evidence: Evidence, *, policy: str, strategy: Strategy
) -> dict[str, Any]:
    """Give the ranking and its reasons as plain data."""
    return {"policy": policy, "strategy": strategy, "rounds": evidence.rounds, **asdict(ranking)}
