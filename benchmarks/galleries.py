"""`python -m benchmarks.galleries --data DIR`: which checkpoint do people use next, and what tells?

Each page of a person's gallery is predicted from the pages before it: the probability that a rule gave to the
checkpoints of its images, among those that the person had used. Pages of checkpoints are left out as questions, since
they show their own. A rule of several shares has their mixture, whose weights were fitted on other people (expectation
maximisation, five folds); `habit` is what `learning/model/habit.py` says of the very same pages.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy

from context_checkpoint.learning.model.habit import Habit, Use, use_of
from context_checkpoint.learning.prompts.keywords import extract_keywords

FILE = "people/galleries_80_people.jsonl.gz"
FOLDS = 5
HABIT, HABIT_ALONE = "habit, with the prompt", "habit, without the prompt"
RULES: Mapping[str, tuple[str, ...]] = {
    "an even share for all": ("even",),
    "most frequent": ("frequency", "even"),
    "last used": ("last", "even"),
    "most frequent and last used": ("frequency", "last", "even"),
    "nearest prompts": ("nearest", "even"),
}
_ROUNDS = 200


@dataclass(slots=True)
class Page:
    """One question: the share of each checkpoint in the page, and what each rule expects of the known ones."""

    person: int
    used: dict[str, float]
    shares: dict[str, dict[str, float]]
    prompt_weight: float


@dataclass(slots=True)
class _History:
    """What a person has shown so far."""

    uses: list[Use] = field(default_factory=list)
    pages: list[tuple[set[str], dict[str, float]]] = field(default_factory=list)

    def add(self, day: int, rows: Sequence[Mapping[str, Any]]) -> None:
        of_prompt = sorted(rows, key=lambda row: _words(row["prompt"]))
        for words, group in groupby(of_prompt, key=lambda row: _words(row["prompt"])):
            self.uses.append(use_of(day, words, [row["checkpoint"] for row in group], ""))
        every = Counter(row["checkpoint"] for row in rows)
        words_of_page = {word for row in rows for word in _words(row["prompt"])}
        self.pages.append((words_of_page, {name: count / len(rows) for name, count in every.items()}))

    def shares(self, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, dict[str, float]], float]:
        """What each rule expects of a page, and how far the habit goes by the prompt."""
        habit = Habit(self.uses)
        words = {word for row in rows for word in _words(row["prompt"])}
        sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for name in habit.names:
            sums["even"][name] = 1.0
        for theirs, used in self.pages:
            alike = (len(words & theirs) / max(1, len(words | theirs))) ** 2
            for name, share in used.items():
                sums["frequency"][name] += share
                sums["nearest"][name] += alike * share
        sums["last"] = self.pages[-1][1]
        shares = {rule: _normalised(counted) for rule, counted in sums.items() if sum(counted.values()) > 0.0}
        predictions = [habit.predict(_words(row["prompt"])) for row in rows]
        shares[HABIT] = {name: sum(each[name] for each in predictions) / len(rows) for name in habit.names}
        shares[HABIT_ALONE] = dict(zip(habit.names, habit.shares().tolist(), strict=True))
        return shares, habit.prompt_weight


def read(data: Path) -> list[Page]:
    """All questions of the galleries."""
    with gzip.open(data / FILE, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    people: dict[int, dict[tuple[str, int, int], list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        people[row["person"]][row["date"], row["page"], row["version"]].append(row)
    questions = []
    for person, pages in people.items():
        history = _History()
        for (day, _, _), shown in sorted(pages.items()):
            known = {name for _, used in history.pages for name in used}
            used = Counter(row["checkpoint"] for row in shown if row["checkpoint"] in known)
            if used and shown[0]["page_type"] != "Checkpoint":
                shares, weight = history.shares(shown)
                questions.append(Page(person, _normalised(used), shares, weight))
            history.add(date.fromisoformat(day).toordinal(), shown)
    return questions


def score(pages: Sequence[Page], rule: Sequence[str], weights: Sequence[float]) -> tuple[float, float, float]:
    """Nats, and how often the first, and one of the first three, was used; means over the pages."""
    sums = numpy.zeros(3)
    for page in pages:
        expected = mixed(page, rule, weights)
        ranked = sorted(expected, key=lambda name: -expected[name])
        nats = -sum(share * numpy.log(expected[name]) for name, share in page.used.items())
        in_first = [sum(page.used.get(name, 0.0) for name in ranked[:count]) for count in (1, 3)]
        sums += numpy.array([nats, *in_first])
    nats, first, three = (sums / len(pages)).tolist()
    return nats, first, three


def mixed(page: Page, rule: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    """The mixture of some shares; where one is not known, the even one stands for it."""
    even = page.shares["even"]
    return {
        name: sum(
            weight * page.shares.get(part, even).get(name, 0.0) for part, weight in zip(rule, weights, strict=True)
        )
        for name in even
    }


def fitted(pages: Sequence[Page], rule: Sequence[str]) -> list[float]:
    """The weights of a mixture under which the pages are most probable."""
    rows, counts = [], []
    for page in pages:
        for name, share in page.used.items():
            rows.append([page.shares.get(part, page.shares["even"]).get(name, 0.0) for part in rule])
            counts.append(share)
    expected, shares = numpy.array(rows), numpy.array(counts)
    weights = numpy.full(len(rule), 1.0 / len(rule))
    for _ in range(_ROUNDS):
        parts = expected * weights
        parts /= parts.sum(axis=1, keepdims=True)
        weights = shares @ parts / shares.sum()
    return [float(weight) for weight in weights]


def results(pages: Sequence[Page]) -> dict[str, tuple[float, float, float]]:
    """The score of each rule."""
    people = sorted({page.person for page in pages})
    scores = {}
    for name, rule in RULES.items():
        sums = numpy.zeros(3)
        for fold in range(FOLDS):
            theirs = set(people[fold::FOLDS])
            asked = [page for page in pages if page.person in theirs]
            weights = fitted([page for page in pages if page.person not in theirs], rule)
            sums += len(asked) * numpy.array(score(asked, rule, weights))
        nats, first, three = (sums / len(pages)).tolist()
        scores[name] = (nats, first, three)
    for name in (HABIT_ALONE, HABIT):
        scores[name] = score(pages, (name,), (1.0,))
    return scores


@lru_cache(maxsize=10_000)
def _words(prompt: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.text for word in extract_keywords(prompt)))


def _normalised(counted: Mapping[str, float]) -> dict[str, float]:
    total = float(sum(counted.values()))
    return {name: count / total for name, count in counted.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.galleries", description="What tells which checkpoint is next?")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=f"a folder with {FILE}")
    pages = read(parser.parse_args().data)
    print(f"{len(pages)} pages of {len({page.person for page in pages})} people\n")
    print("| rule | nats | first | first three |\n|---|---|---|---|")
    for name, (nats, first, three) in results(pages).items():
        print(f"| {name} | {nats:.3f} | {first:.2f} | {three:.2f} |")
    weights = [page.prompt_weight for page in pages]
    print(f"\nThe prompt's weight: {numpy.mean(weights):.2f} on average, above one half in ", end="")
    print(f"{numpy.mean(numpy.array(weights) > 0.5):.0%} of the questions.")


if __name__ == "__main__":
    main()
