"""Do we know which LoRAs a person uses next? Galleries of real people, post after post.

All earlier posts of a person are known, and the LoRAs of each image are predicted from its prompt, without the tags
that name them: split by post and time, never by image. Asked about are the images that have a LoRA which the person had
used before; the answer is an order of all those used before. The figures stand in docs/arena.md.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy

from context_checkpoint.learning.loras import lora_key
from context_checkpoint.learning.parameters import MadeImage
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.lora_choice import Candidates
from context_checkpoint.learning.recommendation.lora_habit import LoraHabit
from context_checkpoint.learning.recommendation.lora_hints import Catalogue
from context_checkpoint.learning.values import IMPORTED, ImageSettings, Keyword

_RESAMPLES = 1000
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Shown:
    """One image of a gallery."""

    image: MadeImage
    prompt: str
    words: tuple[Keyword, ...]
    loras: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """Whether the first of an order was used, and the part of what was used that is among its first three."""

    person: int
    first: float
    three: float


class Past:
    """What a person had shown before a post."""

    def __init__(self, images: Sequence[Shown]) -> None:
        self.images = images
        self.names = list(dict.fromkeys(name for shown in images for name in sorted(shown.loras)))
        self.frequency = Counter(name for shown in images for name in shown.loras)
        self.last = {name: place for place, shown in enumerate(images) for name in shown.loras}
        self.catalogue = Catalogue(self.names)
        self._generations: defaultdict[str, list[int]] = defaultdict(list)
        for number, words in {shown.image.generation: shown.words for shown in images}.items():
            for text in {word.text for word in words}:
                self._generations[text].append(number)
        self._habit = LoraHabit([shown.image for shown in images])
        self._candidates = Candidates(self.catalogue, self._habit.keys, {})

    def shares(self, asked: Shown) -> dict[str, float]:
        """As `recommend_loras` before any comparison."""
        use = self._habit.use(
            self._candidates.loras,
            self._candidates.in_log,
            self.catalogue.hints(asked.prompt, asked.words),
            asked.words,
            lambda text: self._generations.get(text, ()),
        )
        return dict(zip(self.catalogue.keys, use.shares.tolist(), strict=True))


def _nearest(past: Past, asked: Shown) -> dict[str, float]:
    words = {word.text for word in asked.words}
    likeness: dict[str, float] = {}
    for shown in past.images:
        theirs = {word.text for word in shown.words}
        alike = len(words & theirs) / max(1, len(words | theirs))
        for name in shown.loras:
            likeness[name] = max(alike, likeness.get(name, 0.0))
    return likeness


def _by_name(past: Past, asked: Shown) -> dict[str, float]:
    hints = past.catalogue.hints(asked.prompt, asked.words).strength.tolist()
    newest = len(past.images) + 1
    return {name: hint + past.last[name] / newest / 1000 for name, hint in zip(past.names, hints, strict=True)}


RULES: Mapping[str, Callable[[Past, Shown], Mapping[str, float]]] = {
    "most frequent": lambda past, _: past.frequency,
    "last used": lambda past, _: past.last,
    "words of the name in the prompt, then last used": _by_name,
    "nearest prompt": _nearest,
    "learned": Past.shares,
}


def galleries(path: Path) -> Iterator[tuple[int, list[list[Shown]]]]:
    """The posts of each person, oldest first."""
    people: defaultdict[int, defaultdict[tuple[str, int, int], list[Any]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            people[row["person"]][row["date"], row["page"], row["version"]].append(row)
    for person, posts in sorted(people.items()):
        generations: dict[tuple[object, ...], int] = {}
        yield person, [[_shown(row, key, generations) for row in posts[key]] for key in sorted(posts)]


def _shown(row: Mapping[str, Any], post: tuple[object, ...], generations: dict[tuple[object, ...], int]) -> Shown:
    prompt = _TAG.sub(" ", row["prompt"])
    loras = tuple((name, strength or 1.0, strength or 1.0) for name, strength in row.get("loras", ()))
    image = MadeImage(
        generation=generations.setdefault((post, prompt), len(generations) + 1),
        checkpoint=row["checkpoint"],
        settings=ImageSettings(loras=loras),
        mark=".",
        made_at=datetime.fromisoformat(row["date"]).replace(tzinfo=timezone.utc),
        policy=IMPORTED,
        stage="final",
        family="",
    )
    return Shown(image, prompt, extract_keywords(prompt), frozenset(lora_key(name) for name, _, _ in loras))


def measure(path: Path) -> dict[str, list[Hit]]:
    """The hits of each rule."""
    hits: dict[str, list[Hit]] = {rule: [] for rule in RULES}
    for person, posts in galleries(path):
        known: list[Shown] = []
        used: frozenset[str] = frozenset()
        for post in posts:
            asked = [shown for shown in post if shown.loras & used]
            past = Past(sorted(known, key=lambda shown: shown.image.generation)) if asked else None
            for shown in asked if past else ():
                for rule, scores in RULES.items():
                    hits[rule].append(_hit(person, scores(past, shown), past.names, shown.loras & used))
            known += post
            used = used.union(*(shown.loras for shown in post))
    return hits


def _hit(person: int, scores: Mapping[str, float], names: Sequence[str], wanted: frozenset[str]) -> Hit:
    order = sorted(names, key=lambda name: -scores.get(name, 0.0))
    return Hit(person, float(order[0] in wanted), len(wanted.intersection(order[:3])) / len(wanted))


def table(hits: Mapping[str, Sequence[Hit]]) -> str:
    """One line per rule; errors are those of drawing the people anew."""
    lines = ["| rule | first | among three |", "|---|---|---|"]
    for rule, found in hits.items():
        numbers = numpy.array([(hit.first, hit.three) for hit in found])
        people = numpy.array([hit.person for hit in found])
        by_person = [numpy.flatnonzero(people == person) for person in sorted(set(people.tolist()))]
        rng = numpy.random.default_rng(0)
        means = [
            numbers[
                numpy.concatenate([by_person[place] for place in rng.integers(len(by_person), size=len(by_person))])
            ]
            for _ in range(_RESAMPLES)
        ]
        errors = numpy.std([each.mean(axis=0) for each in means], axis=0)
        cells = [f"{mean:.2f} ± {error:.2f}" for mean, error in zip(numbers.mean(axis=0), errors, strict=True)]
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    count, people_asked = len(hits["learned"]), len({hit.person for hit in hits["learned"]})
    return "\n".join([f"{count} images of {people_asked} people", "", *lines])
