"""Our policies, used as the service uses them: question, evidence, decision, verdict, sums.

Only the database is left out: `Accumulator` holds the same sums in memory, to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from ..worlds.at_hand import AT_HAND, all_by_one, by_any_of_eight, eight_of_fifty
from ..worlds.contract import Before, OtherPeople, World, nothing_before
from ..worlds.people import PEOPLE
from ..worlds.styles import CHECKPOINTS
from .contract import Entrant, Play, Player

BeforeOf = Callable[[int, Path | None], Sequence[Before]]


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


class Told:
    """Knows which checkpoints the person works with, and shows no others."""

    def __init__(self, player: OurPolicy, names: Sequence[str]) -> None:
        self._player = player
        self._names = names

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        return self._player.show(prompt, self._names, images, branches)

    def learn(self, shown: Sequence[Shown]) -> None:
        self._player.learn(shown)


class SameSettings:
    """Draws all checkpoints with the same settings."""

    def __init__(self, player: OurPolicy) -> None:
        self._player = player

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        return replace(self._player.show(prompt, candidates, images, branches), same_settings=True)

    def learn(self, shown: Sequence[Shown]) -> None:
        self._player.learn(shown)


def _same_settings(world: World, seed: int, data: Path | None) -> SameSettings:
    return SameSettings(OurPolicy(DEFAULT_POLICY, seed))


def _told(world: World, seed: int, data: Path | None) -> Told:
    return Told(OurPolicy(DEFAULT_POLICY, seed), eight_of_fifty(seed))


def _of_policy(policy: str) -> Entrant:
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


def _given(images: BeforeOf) -> Callable[[World, int, Path | None], Player]:
    """The default policy with other images than the world's."""
    return lambda world, seed, data: OurPolicy(DEFAULT_POLICY, seed, images(seed, data))


def _otherwise(
    name: str, label: str, make: Callable[[World, int, Path | None], Player], worlds: Sequence[str]
) -> Entrant:
    """The default policy in other circumstances, in some worlds alone."""
    return Entrant(name, f"the default {label}", paced=False, peer=False, make=make, worlds=tuple(worlds))


_AT_FIRST = [world.name for world in (*AT_HAND, *PEOPLE)]

ENTRANTS = (
    *map(_of_policy, POLICIES),
    _otherwise("cold", "without the import, or without the others", _given(nothing_before), _AT_FIRST),
    _otherwise("told", "told the eight, without the import", _told, ["fifty"]),
    _otherwise("any-eight", "with images by any of the eight", _given(by_any_of_eight), ["fifty"]),
    _otherwise("all-by-one", "with all images by one", _given(all_by_one), ["habit"]),
    _otherwise("same-settings", "with the same settings for all", _same_settings, ["fast"]),
    *map(_with_files, (1, 4, 16)),
)
