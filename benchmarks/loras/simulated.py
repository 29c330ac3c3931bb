"""A person with three hundred LoRAs, of whom each kind of prompts needs one: how soon is it known?

Most of the others make an image worse. Of half of the needed ones the name has a word of the prompt, and so have three
decoys; the others have names that say nothing, and the person used each three times before. As the nodes do, the person
is shown the recommended LoRAs, and where one is worth trying the same image with it, or without it if it is one of
them. They keep the better image if it is good enough; single images vary. Everything is seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy

from context_checkpoint.learning.loras import LoraRecommendation
from context_checkpoint.learning.parameters import MadeImage
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.lora_choice import Candidates, Prompt, recommend
from context_checkpoint.learning.recommendation.lora_decision import Comparisons, LoraLog
from context_checkpoint.learning.recommendation.lora_hints import Catalogue
from context_checkpoint.learning.recommendation.parameter_comparisons import ValueSums, context
from context_checkpoint.learning.values import IMPORTED, ImageSettings, Keyword

from ..arena.worlds.vocabulary import SUBJECTS

KINDS = (
    "portrait photo, soft light",
    "pencil sketch, paper texture",
    "oil painting, thick impasto",
    "pixel art, isometric",
    "watercolor wash, loose",
    "neon cyberpunk, rain",
)
LORAS, DECOYS, USED_BEFORE = 300, 3, 3
BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)
NEEDED, OTHERS, SPREAD = 1.5, -0.7, 0.5
CHECKPOINT, _BAR = 0.5, -1.0
PLAYERS = ("none", "one at random", "learned")


@dataclass(frozen=True, slots=True)
class World:
    """Names, and the utility that each adds to an image of each kind, `[kinds, LORAS]`."""

    names: tuple[str, ...]
    utilities: numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float64]]
    needed: tuple[int, ...]


def world(rng: numpy.random.Generator) -> World:
    utilities = rng.normal(OTHERS, SPREAD, (len(KINDS), LORAS))
    names = [f"pack{place:03}" for place in range(LORAS)]
    places = rng.permutation(LORAS)
    needed = tuple(int(place) for place in places[: len(KINDS)])
    for kind, place in enumerate(needed):
        utilities[kind, place] = NEEDED
        if kind % 2 == 0:
            word = KINDS[kind].split()[0]
            names[place] = f"{word}_best"
            for decoy in range(DECOYS):
                names[int(places[len(KINDS) + kind * DECOYS + decoy])] = f"{word}_{'abc'[decoy]}"
    return World(tuple(names), utilities, needed)


class Player:
    """What the service does with a log, without the database."""

    def __init__(self, names: Sequence[str]) -> None:
        self.images: list[MadeImage] = []
        self.words: dict[int, tuple[Keyword, ...]] = {}
        self._with: dict[str, list[int]] = {}
        self._catalogue = Catalogue(names)
        self._log: LoraLog | None = None
        self._comparisons, self._sums = Comparisons(), ValueSums()

    def ask(self, prompt: str) -> LoraRecommendation:
        self._log = LoraLog(tuple(self.images), self._log)
        self._sums.sum_up(self._comparisons.of(self._log, self.words, {}, {}))
        words = extract_keywords(prompt)
        return recommend(
            Prompt(prompt, words, context(words, "a", "")),
            Candidates(self._catalogue, self._log.habit.keys, self._sums.judged),
            self._log.habit,
            self._sums,
            lambda text: self._with.get(text, ()),
            most=2,
        )

    def learn(self, prompt: str, sets: Sequence[Sequence[str]], marks: Sequence[str], day: int, policy: str) -> None:
        number = len(self.words) + 1
        self.words[number] = extract_keywords(prompt)
        for text in {word.text for word in self.words[number]}:
            self._with.setdefault(text, []).append(number)
        for loras, mark in zip(sets, marks, strict=True):
            settings = ImageSettings(steps=20, loras=tuple((name, 1.0, 1.0) for name in sorted(loras)))
            self.images.append(MadeImage(number, "a", settings, mark, BORN + timedelta(days=day), policy, "final", ""))


def play(how: str, seed: int, prompts: int) -> list[float]:
    """The regret of each prompt: by how much the best image shown is worse than one with the needed LoRA."""
    rng = numpy.random.default_rng([seed, 43])
    there = world(rng)
    player = Player(there.names)
    for kind in range(1, len(KINDS), 2):
        for _ in range(USED_BEFORE):
            player.learn(_prompt(rng, kind), [[there.names[there.needed[kind]]]], ".", kind, IMPORTED)
    regrets = []
    for place in range(prompts):
        kind = int(rng.integers(len(KINDS)))
        prompt = _prompt(rng, kind)
        sets = _shown(how, player, prompt, there, rng)
        utilities = [sum(there.utilities[kind, there.names.index(name)] for name in each) for each in sets]
        regrets.append(NEEDED - float(max(utilities)))
        moods = [CHECKPOINT + utility + rng.gumbel() for utility in utilities]
        best = int(numpy.argmax(moods))
        kept = best if moods[best] > _BAR + rng.gumbel() else -1
        marks = ["+" if each == kept else "-" for each in range(len(sets))]
        player.learn(prompt, sets, marks, len(KINDS) + place // 10, "bayesian")
    return regrets


def _shown(how: str, player: Player, prompt: str, there: World, rng: numpy.random.Generator) -> list[list[str]]:
    if how == "none":
        return [[]]
    if how == "one at random":
        return [[there.names[int(rng.integers(LORAS))]]]
    answer = player.ask(prompt)
    first = [name for name, _ in answer.loras]
    tried = answer.worth_trying
    if tried is None:
        return [first]
    other = [name for name in first if name != tried] if tried in first else [*first, tried]
    return [first, other]


def _prompt(rng: numpy.random.Generator, kind: int) -> str:
    return f"{KINDS[kind]}, {SUBJECTS[int(rng.integers(len(SUBJECTS)))]}"


def measure(seeds: int, prompts: int) -> dict[str, list[tuple[float, float]]]:
    """For each player the mean regret and its error over the seeds, in thirties of prompts."""
    rows = {}
    for how in PLAYERS:
        regrets = numpy.array([play(how, seed, prompts) for seed in range(seeds)]).reshape(seeds, -1, 30).mean(axis=2)
        errors = regrets.std(axis=0, ddof=1) / numpy.sqrt(seeds)
        rows[how] = list(zip(regrets.mean(axis=0).tolist(), errors.tolist(), strict=True))
    return rows


def table(rows: dict[str, list[tuple[float, float]]]) -> str:
    """One line per player."""
    groups = len(next(iter(rows.values())))
    lines = [
        f"| LoRAs | {' | '.join(f'to {30 * (place + 1)}' for place in range(groups))} |",
        f"|---{'|---' * groups}|",
    ]
    return "\n".join(
        [*lines, *(f"| {how} | {' | '.join(f'{m:.2f} ± {e:.2f}' for m, e in row)} |" for how, row in rows.items())]
    )
