"""Our policies, used as the service uses them: question, evidence, decision, verdict, sums.

Only the database is left out: `Accumulator` holds the same sums in memory, to the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.policies import POLICIES, policy_named
from context_checkpoint.learning.policies.model_policy import ModelPolicy
from context_checkpoint.learning.recommendation.decision import Decision, ask, decide
from context_checkpoint.learning.recommendation.strategy import divide_images
from context_checkpoint.learning.values import MOST_BRANCHES, Shown

from ..worlds.contract import World
from .contract import Entrant, Play


class OurPolicy:
    """One installation: a policy, and the sums of its verdicts."""

    def __init__(self, policy: str, seed: int) -> None:
        self._policy = policy
        self._seed = seed
        self._sums = Accumulator(models=isinstance(policy_named(policy), ModelPolicy))
        self._decision: Decision | None = None

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        question = ask(
            prompt,
            candidates,
            policy=self._policy,
            stage="final",
            explore=True,
            max_branches=MOST_BRANCHES,
            seed=self._seed,
            thresholds=None,
        )
        decision = decide(question, self._sums.evidence(question.keywords, candidates))
        self._decision = decision
        strategy, shown = decision.shown
        return Play(shown, divide_images(strategy, shown, images), decision.ranking.confidence)

    def learn(self, shown: Sequence[Shown]) -> None:
        if self._decision is None:
            raise RuntimeError("There is a verdict, and nothing was shown.")
        question, utilities = self._decision.question, self._decision.ranking.utilities
        parts = tuple(replace(part, utility=utilities.get(part.checkpoint)) for part in shown)
        self._sums.add(Comparison(question.keywords, parts, question.stage))


def _entrant(policy: str) -> Entrant:
    def make(world: World, seed: int, data: Path | None) -> OurPolicy:
        return OurPolicy(policy, seed)

    return Entrant(policy, f"our policy `{policy}`", paced=False, peer=False, make=make)


ENTRANTS = tuple(map(_entrant, POLICIES))
