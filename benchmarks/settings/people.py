"""Do we know which settings a person uses next? Galleries of real people, page after page.

Each line is one image that a person showed (`person`, `page`, `date`, `checkpoint`, `base`, `prompt`, and what is known
of `sampler`, `scheduler`, `steps`, `cfg`, `w`, `h`, `clip_skip`). For each page of a person, all earlier pages are
known, and the values of its images are predicted from prompt and checkpoint: split by page and time, never by image.
The figures stand in docs/arena.md.
"""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from context_checkpoint.learning.parameters import PARAMETERS, MadeImage, ParameterName, Value, value_of
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.parameter_habit import Habit
from context_checkpoint.learning.values import IMPORTED, ImageSettings

DEFAULTS: dict[ParameterName, Value] = {
    "steps": 20,
    "cfg": 7.0,
    "sampler": "Euler a",
    "scheduler": "normal",
    "size": "512x512",
    "clip_skip": 1,
}


@dataclass(slots=True)
class Score:
    """Of one predictor and parameter: images, hits, hits with a checkpoint used before, and sums of confidence."""

    images: int = 0
    hits: int = 0
    known: int = 0
    known_hits: int = 0
    confidence: float = 0.0
    nats: float = 0.0


@dataclass(frozen=True, slots=True)
class GalleryImage:
    """One image of a gallery."""

    image: MadeImage
    base: str
    prompt: str
    words: frozenset[str]


def galleries(path: Path) -> Iterator[list[list[GalleryImage]]]:
    """The pages of each person, oldest first."""
    rows: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows[row["person"]].append(row)
    words: dict[str, frozenset[str]] = {}
    for of_person in rows.values():
        ordered = sorted(of_person, key=lambda row: (row["date"], row["page"], row["pos"]))
        pages: dict[int, list[GalleryImage]] = {}
        generations: dict[tuple[int, str], int] = {}
        for row in ordered:
            prompt = row["prompt"]
            if prompt not in words:
                words[prompt] = frozenset(word.text for word in extract_keywords(prompt))
            number = generations.setdefault((row["page"], prompt), len(generations) + 1)
            image = MadeImage(
                generation=number,
                checkpoint=row["checkpoint"],
                settings=_settings(row),
                mark=".",
                made_at=datetime.fromisoformat(row["date"]).replace(tzinfo=timezone.utc),
                policy=IMPORTED,
                stage="final",
                family="",
            )
            pages.setdefault(row["page"], []).append(GalleryImage(image, row["base"], prompt, words[prompt]))
        yield list(pages.values())


def _settings(row: dict[str, Any]) -> ImageSettings:
    """What is not written down is what the program does by itself: no schedule, the last layer."""
    sampled = row.get("steps") is not None
    return ImageSettings(
        steps=row.get("steps"),
        cfg=row.get("cfg"),
        sampler=row.get("sampler"),
        scheduler=row.get("scheduler") or ("normal" if sampled else None),
        width=row.get("w"),
        height=row.get("h"),
        clip_skip=row.get("clip_skip") or 1,
    )


def mode(
    known: Sequence[GalleryImage], name: ParameterName, asked: GalleryImage
) -> tuple[Value, float, dict[Value, float]]:
    """The most frequent value of the person with the checkpoint; where there is none, of the person."""
    values = [(shown.image.checkpoint, value_of(shown.image.settings, name)) for shown in known]
    own = [value for checkpoint, value in values if checkpoint == asked.image.checkpoint and value is not None]
    counts = Counter(own or [value for _, value in values if value is not None])
    total = sum(counts.values()) + 1.0
    shares = {value: count / total for value, count in counts.items()}
    best = counts.most_common(1)[0][0] if counts else DEFAULTS[name]
    return best, shares.get(best, 0.0), shares


def ours() -> Callable[[Sequence[GalleryImage], ParameterName, GalleryImage], tuple[Value, float, dict[Value, float]]]:
    """As `recommend_parameter` before any comparison."""
    kept: tuple[Sequence[GalleryImage], Habit] = ((), Habit([]))

    def predict(
        known: Sequence[GalleryImage], name: ParameterName, asked: GalleryImage
    ) -> tuple[Value, float, dict[Value, float]]:
        nonlocal kept
        if kept[0] is not known:
            kept = known, Habit([shown.image for shown in known])
        families = {shown.image.checkpoint: shown.base for shown in (*known, asked)}
        shared = {shown.image.generation: len(shown.words & asked.words) for shown in known}
        use = kept[1].use(name, DEFAULTS[name], asked.image.checkpoint, families, words=len(asked.words), shared=shared)
        best = max(use.shares, key=lambda value: use.shares[value])
        return best, use.amount * use.shares[best], dict(use.shares)

    return predict


def measure(path: Path) -> dict[str, dict[ParameterName, Score]]:
    """The scores of each predictor."""
    predictors = {"mode": mode, "ours": ours()}
    scores = {name: {parameter: Score() for parameter in PARAMETERS} for name in predictors}
    for pages in galleries(path):
        known: list[GalleryImage] = []
        for page in pages:
            used = {shown.image.checkpoint for shown in known}
            for label, predict in predictors.items() if known else ():
                answers: dict[tuple[ParameterName, str, str], tuple[Value, float, dict[Value, float]]] = {}
                for shown in page:
                    for parameter in PARAMETERS:
                        truth = value_of(shown.image.settings, parameter)
                        if truth is None:
                            continue
                        question = (parameter, shown.image.checkpoint, shown.prompt)
                        if question not in answers:
                            answers[question] = predict(known, parameter, shown)
                        best, confidence, shares = answers[question]
                        _add(scores[label][parameter], best == truth, confidence, shares.get(truth, 0.0), shown, used)
            known = [*known, *page]
    return scores


def _add(score: Score, hit: bool, confidence: float, share: float, shown: GalleryImage, used: set[str]) -> None:
    score.images += 1
    score.hits += hit
    score.confidence += confidence
    score.nats -= math.log(max(share, 0.01))
    if shown.image.checkpoint in used:
        score.known += 1
        score.known_hits += hit


def table(scores: dict[str, dict[ParameterName, Score]]) -> str:
    """One line per parameter."""
    titles = ("parameter", "images", "mode", "learned", "known checkpoint: mode", "learned", "confidence", "nats: mode")
    lines = [f"| {' | '.join((*titles, 'learned'))} |", f"|---{'|---' * len(titles)}|"]
    for parameter in PARAMETERS:
        mode_score, ours_score = scores["mode"][parameter], scores["ours"][parameter]
        cells = [
            mode_score.hits / mode_score.images,
            ours_score.hits / ours_score.images,
            mode_score.known_hits / mode_score.known,
            ours_score.known_hits / ours_score.known,
            ours_score.confidence / ours_score.images,
            mode_score.nats / mode_score.images,
            ours_score.nats / ours_score.images,
        ]
        lines.append(f"| {parameter} | {ours_score.images:,} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    return "\n".join(lines)
