"""Do we know which words a person's next negative prompt has? Galleries of real people, page after page.

Each line is one image that a person showed. For each page of a person all earlier pages are known, and the tags of the
negative prompts of its images are predicted from prompt and checkpoint: split by page and time, never by image. All are
kept images, so this is habit alone. The constants were chosen on every second person; the figures in docs/arena.md are
those of the others, and their error is that of the mean over people.

An average precision is that of an image's whole list of tags, those of the prompt left out. A rule names its tags in an
order; all that it does not name are missed. `half` gives every second tag and asks for the others.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy

from context_checkpoint.learning.parameters import MadeImage
from context_checkpoint.learning.prompts.keywords import NEGATIVE, extract_keywords, negative_keywords, whole_tags
from context_checkpoint.learning.recommendation.negative_choice import WORTH_ADDING, NegativeLog
from context_checkpoint.learning.values import IMPORTED, ImageSettings, Keyword

ALL = 10_000
OURS = "learned"


@dataclass(frozen=True, slots=True)
class Shown:
    """One image of a gallery; `tags` are all of its negative prompt, in their order."""

    prompt: str
    negative: str
    checkpoint: str
    made_at: datetime
    tags: tuple[str, ...]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the words that it has, and the tags that are no answer."""

    shown: Shown
    given: tuple[str, ...]

    @property
    def words(self) -> frozenset[str]:
        """The keywords of the prompt and of what is given."""
        return self.shown.words | {NEGATIVE + tag for tag in self.given}

    @property
    def wanted(self) -> set[str]:
        return set(self.shown.tags) - self.shown.words - set(self.given)

    @property
    def no_answer(self) -> set[str]:
        return {*self.shown.words, *self.given}


Rule = Callable[[Sequence[Shown], Asked], Sequence[str]]


@dataclass(slots=True)
class Scores:
    """Average precisions by person, one per page; and of what was suggested, how much was right."""

    by_person: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    suggested: int = 0
    right: int = 0
    questions: int = 0

    def mean(self, people: Sequence[int]) -> tuple[float, float]:
        """The mean over people of their pages' mean, and its standard error."""
        means = numpy.array([numpy.mean(self.by_person[person]) for person in people if person in self.by_person])
        return float(means.mean()), float(means.std(ddof=1) / len(means) ** 0.5)


def galleries(path: Path) -> Iterator[tuple[int, list[list[Shown]]]]:
    """Each person's pages, oldest first."""
    rows: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows[row["person"]].append(row)
    for person, of_person in sorted(rows.items()):

        def page(row: dict[str, Any]) -> tuple[str, int, int]:
            return row["date"], row["page"], row["version"]

        ordered = sorted(of_person, key=lambda row: (*page(row), row["pos"]))
        yield person, [[_shown(row) for row in group] for _, group in groupby(ordered, key=page)]


def _shown(row: dict[str, Any]) -> Shown:
    negative = row.get("negative") or ""
    made_at = datetime.fromisoformat(row["date"]).replace(tzinfo=timezone.utc)
    return Shown(row["prompt"], negative, row["checkpoint"], made_at, _all_tags(negative), _words(row["prompt"]))


@lru_cache(maxsize=10_000)
def _words(prompt: str) -> frozenset[str]:
    return frozenset(word.text for word in extract_keywords(prompt))


@lru_cache(maxsize=10_000)
def _all_tags(negative: str) -> tuple[str, ...]:
    return tuple(whole_tags(word.text[len(NEGATIVE) :] for word in negative_keywords(negative, most=ALL)))


@lru_cache(maxsize=10_000)
def _logged(prompt: str, negative: str) -> tuple[Keyword, ...]:
    return (*extract_keywords(prompt), *negative_keywords(negative))


def last(known: Sequence[Shown], asked: Asked) -> Sequence[str]:
    """The person's last negative prompt, all of it."""
    return next((shown.tags for shown in reversed(known) if shown.tags), ())


def frequent(known: Sequence[Shown], asked: Asked) -> Sequence[str]:
    """What stands there most often."""
    return [tag for tag, _ in Counter(tag for shown in known for tag in shown.tags).most_common()]


def nearest(known: Sequence[Shown], asked: Asked) -> Sequence[str]:
    """The negative prompt of the prompt that shares most words, the newest of equals; all of it."""
    best, most = (), -1.0
    for shown in known:
        alike = len(shown.words & asked.shown.words) / max(1, len(shown.words | asked.shown.words))
        if shown.tags and alike >= most:
            best, most = shown.tags, alike
    return best


class Ours:
    """As `suggest_negative_prompt`, but all words that have a share, whatever it is."""

    def __init__(self) -> None:
        self._known: Sequence[Shown] = ()
        self._log = NegativeLog([], {})
        self._words: dict[int, set[str]] = {}

    def __call__(self, known: Sequence[Shown], asked: Asked) -> Sequence[str]:
        return [tag for tag, _ in self.scored(known, asked)]

    def scored(self, known: Sequence[Shown], asked: Asked) -> list[tuple[str, float]]:
        """The tags and their scores."""
        if self._known is not known or not self._words:
            self._read(known)
        shared = {number: len(words & asked.words) for number, words in self._words.items()}
        found = self._log.suggest(
            asked.shown.checkpoint, len(asked.words), shared, asked.no_answer, worth=0.0, most=ALL
        )
        return [(each.word, each.score) for each in found]

    def _read(self, known: Sequence[Shown]) -> None:
        """As the log has it: the images of one page with one prompt are a generation, and few keywords are kept."""
        numbers: dict[tuple[object, ...], int] = {}
        words: dict[int, tuple[Keyword, ...]] = {}
        images = []
        for each in known:
            key = each.prompt, each.negative, each.checkpoint, each.made_at
            number = numbers.setdefault(key, len(numbers) + 1)
            words[number] = _logged(each.prompt, each.negative)
            images.append(MadeImage(number, each.checkpoint, ImageSettings(), ".", each.made_at, IMPORTED, "final", ""))
        self._words = {number: {word.text for word in of_it} for number, of_it in words.items()}
        self._log, self._known = NegativeLog(images, words), known


def precision(named: Sequence[str], asked: Asked) -> float:
    """The average precision of tags in an order."""
    hits = total = place = 0.0
    for tag in dict.fromkeys(named):
        if tag in asked.no_answer:
            continue
        place += 1.0
        if tag in asked.wanted:
            hits += 1.0
            total += hits / place
    return total / len(asked.wanted)


def measure(path: Path, *, second: bool = True) -> dict[str, Scores]:
    """The scores of each rule with nothing given, and with half.

    Parameters
    ----------
    second
        The people who were not used to choose the constants; else those who were.
    """
    ours = Ours()
    rules: dict[str, Rule] = {"last": last, "most frequent": frequent, "nearest prompt": nearest, OURS: ours}
    scores = {f"{name}{half}": Scores() for half in ("", ", half") for name in rules}
    for place, (person, pages) in enumerate(galleries(path)):
        if place % 2 != second:
            continue
        known: list[Shown] = []
        for page in pages:
            for half in ("", ", half") if known else ():
                found: defaultdict[str, list[float]] = defaultdict(list)
                for shown in page:
                    asked = Asked(shown, shown.tags[::2] if half else ())
                    for name, rule in rules.items() if asked.wanted else ():
                        found[name].append(precision(rule(known, asked), asked))
                    if asked.wanted:
                        _count(scores[OURS + half], ours.scored(known, asked), asked)
                for name, precisions in found.items():
                    scores[name + half].by_person[person].append(float(numpy.mean(precisions)))
            known = [*known, *page]
    return scores


def _count(scores: Scores, named: Sequence[tuple[str, float]], asked: Asked) -> None:
    suggested = [tag for tag, score in named if score > WORTH_ADDING][:12]
    scores.questions += 1
    scores.suggested += len(suggested)
    scores.right += sum(tag in asked.wanted for tag in suggested)


def report(scores: dict[str, Scores]) -> str:
    """One line per rule, and what is suggested."""
    people = sorted({person for each in scores.values() for person in each.by_person})
    lines = ["| rule | average precision | with half of the words given |", "|---|---|---|"]
    for name in [name for name in scores if not name.endswith(", half")]:
        cells = [f"{mean:.3f} ± {error:.3f}" for mean, error in (scores[name + half].mean(people) for half in _HALVES)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    pages = sum(map(len, scores[OURS].by_person.values()))
    lines.append(f"\n{pages} pages of {len(people)} people.")
    for half in _HALVES:
        of_half = scores[OURS + half]
        lines.append(
            f"Suggested{half}: {of_half.suggested / of_half.questions:.1f} words per image, "
            f"{of_half.right / max(1, of_half.suggested):.2f} of them right."
        )
        for other in ("last", "most frequent", "nearest prompt"):
            gains = numpy.array(
                [
                    numpy.mean(of_half.by_person[person]) - numpy.mean(scores[other + half].by_person[person])
                    for person in of_half.by_person
                ]
            )
            lines.append(f"Less {other}{half}: {gains.mean():+.3f} ± {gains.std(ddof=1) / len(gains) ** 0.5:.3f}")
    return "\n".join(lines)


_HALVES = ("", ", half")
