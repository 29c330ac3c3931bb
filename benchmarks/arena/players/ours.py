"""Our policies, used as the service uses them: question, evidence, decision, verdict, sums.

Only the database is left out: `Accumulator` holds the same sums in memory, to the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from random import Random

from context_checkpoint.learning.exchange import private_sums
from context_checkpoint.learning.exchange.from_recipes import mark_of
from context_checkpoint.learning.exchange.share_format import VERSION, SharedFile, shared_checkpoints
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.habit import Habit, use_of
from context_checkpoint.learning.model.shared_prior import (
    Identities,
    Own,
    Pair,
    SharedPrior,
    Source,
    Sums,
    of_people,
)
from context_checkpoint.learning.policies import DEFAULT_POLICY, POLICIES, policy_named
from context_checkpoint.learning.policies.model_policy import ModelPolicy
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.decision import Decision, ask, decide
from context_checkpoint.learning.recommendation.strategy import divide_images
from context_checkpoint.learning.values import MOST_BRANCHES, Shown

from ..wishes import verdict
from ..worlds.at_hand import AT_HAND
from ..worlds.contract import Before, OtherPeople, World
from ..worlds.people import PEOPLE
from ..worlds.styles import CHECKPOINTS
from .contract import Entrant, Play


class OurPolicy:
    """One installation: a policy, and the sums of its verdicts.

    Parameters
    ----------
    before
        The images that were imported before the first prompt.
    others
        What other people taught, as sums.
    """

    def __init__(self, policy: str, seed: int, before: Sequence[Before] = (), others: Sequence[Source] = ()) -> None:
        self._policy = policy
        self._seed = seed
        self._sums = Accumulator(models=isinstance(policy_named(policy), ModelPolicy))
        self._decision: Decision | None = None
        self._habit = self._imported(before)
        self._others = others
        self.comparisons: list[Comparison] = []

    def _imported(self, before: Sequence[Before]) -> Habit | None:
        """Learn from the rated ones; the habit that all of them show. As `PreferenceService.import_recipes` does."""
        uses = []
        for (day, prompt), images in groupby(before, lambda image: (image.day, image.prompt)):
            words, seen = extract_keywords(prompt), list(images)
            names, marks = [image.checkpoint for image in seen], "".join(mark_of(image.rating) for image in seen)
            uses.append(use_of(day, [word.text for word in words], names, marks))
            shown = [
                Shown(name, 1, selected=int(mark == "+"), rejected=int(mark == "-"))
                for name, mark in zip(names, marks, strict=True)
            ]
            if uses[-1].judged:
                self._sums.add(Comparison(tuple(words), tuple(shown), "final"))
        return Habit(uses) if uses else None

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
        evidence = replace(self._sums.evidence(question.keywords, candidates), habit=self._habit, shared=self._shared())
        decision = decide(question, evidence)
        self._decision = decision
        strategy, shown = decision.shown
        return Play(shown, divide_images(strategy, shown, images), decision.ranking.confidence)

    def learn(self, shown: Sequence[Shown]) -> None:
        if self._decision is None:
            raise RuntimeError("There is a verdict, and nothing was shown.")
        question, utilities = self._decision.question, self._decision.ranking.utilities
        parts = tuple(replace(part, utility=utilities.get(part.checkpoint)) for part in shown)
        self.comparisons.append(Comparison(question.keywords, parts, question.stage))
        self._sums.add(self.comparisons[-1])

    def _shared(self) -> SharedPrior | None:
        if not self._others:
            return None
        information = sum(sums.information for (text, _), sums in self._sums.pairs.items() if not text)
        return SharedPrior(self._others, Own(self.sums, information), _IDENTITIES)

    @property
    def sums(self) -> dict[Pair, Sums]:
        """The sums of pairs."""
        return {
            (text, Identities.identity(name, "")): (sums.score, sums.information)
            for (text, name), sums in self._sums.pairs.items()
            if text
        }


_IDENTITIES = Identities(((name, "") for name in CHECKPOINTS), {})


@lru_cache(maxsize=8)
def _others(others: OtherPeople, seed: int, data: Path | None) -> tuple[OurPolicy, ...]:
    """Other people, after they have taught the default policy."""
    players = []
    for wishes in others(seed, data):
        player = OurPolicy(DEFAULT_POLICY, seed)
        for wish in wishes:
            played = player.show(wish.prompt, wish.candidates, wish.images, MOST_BRANCHES)
            player.learn(verdict(wish, list(zip(played.checkpoints, played.images, strict=True))))
        players.append(player)
    return tuple(players)


def _entrant(policy: str) -> Entrant:
    def make(world: World, seed: int, data: Path | None) -> OurPolicy:
        others = _others(world.others, seed, data)
        sources = [Source("people", of_people([other.sums for other in others]))] if others else []
        return OurPolicy(policy, seed, world.before(seed, data), sources)

    return Entrant(policy, f"our policy `{policy}`", paced=False, peer=False, make=make)


def _with_files(epsilon: int) -> Entrant:
    """Files of the others instead, with noise."""

    def make(world: World, seed: int, data: Path | None) -> OurPolicy:
        rng, exact, names = Random(seed), Fraction(epsilon), [(name, "") for name in CHECKPOINTS]  # noqa: S311
        sources = []
        for number, other in enumerate(_others(world.others, seed, data)):
            sums = private_sums.private_sums(other.comparisons, CHECKPOINTS, exact, rng)
            file = SharedFile(
                format="context-checkpoint-share",
                version=VERSION,
                noise=private_sums.noise_deviation(exact),
                checkpoints=shared_checkpoints(names),
                words={word: tuple(row) for word, row in sums.items()},
            )
            sources.append(file.source(f"file {number}", 1.0))
        return OurPolicy(DEFAULT_POLICY, seed, (), sources)

    title = f"the default with a file of each of the others, epsilon {epsilon}"
    worlds = tuple(world.name for world in PEOPLE)
    return Entrant(f"files-{epsilon}", title, paced=False, peer=False, make=make, worlds=worlds)


def _cold(world: World, seed: int, data: Path | None) -> OurPolicy:
    return OurPolicy(DEFAULT_POLICY, seed)


COLD = Entrant(
    "cold",
    "the default without the import, or without the others",
    paced=False,
    peer=False,
    make=_cold,
    worlds=tuple(world.name for world in (*AT_HAND, *PEOPLE)),
)
ENTRANTS = (*map(_entrant, POLICIES), COLD, _with_files(1), _with_files(4), _with_files(16))
