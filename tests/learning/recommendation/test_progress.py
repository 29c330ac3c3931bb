"""How far it is to one checkpoint alone: whether the forecast comes true, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.recommendation.decision import ask, decide
from context_checkpoint.learning.recommendation.explanation import progress_sentence
from context_checkpoint.learning.recommendation.pins import Curation
from context_checkpoint.learning.values import Progress, Recommendation, Shown, Thresholds

SUBJECTS = ("a fox", "an old sailor", "two dancers", "a castle on a hill", "a robot gardener", "a beekeeper")
STYLES = (
    "photorealistic portrait of {}, 85mm lens, window light",
    "watercolor painting of {}, soft paper texture, loose brush strokes",
)
MOST_PROMPTS = 60


@dataclass(frozen=True)
class Step:
    """What the node showed, and how many pictures it took from there until one was shown alone."""

    progress: Progress
    left: int


def named(count: int) -> tuple[str, ...]:
    return tuple(f"checkpoint-{number}.safetensors" for number in range(count))


def recommended(sums: Accumulator, prompt: str, names: Sequence[str], **options: object) -> Recommendation:
    chosen = {"policy": "bayesian", "stage": "final", "explore": True, "max_branches": 3, "seed": 1, "thresholds": None}
    question = ask(prompt, names, **{**chosen, **options})
    return decide(question, sums.evidence(question.keywords, names)).recommendation()


def teach(sums: Accumulator, answer: Recommendation, picked: Sequence[bool]) -> None:
    shown = (
        Shown(name, 1, int(pick), int(not pick), answer.utilities.get(name))
        for name, pick in zip(answer.checkpoints, picked, strict=True)
    )
    sums.add(Comparison(answer.keywords, tuple(shown)))


def history(seed: int, checkpoints: int, styles: int) -> list[Step]:
    """A person who likes each style by other checkpoints, with the noise of real choices; until each is decided."""
    generator, sums, names = numpy.random.default_rng(seed), Accumulator(), named(checkpoints)
    utilities = generator.normal(0, 1.6, (styles, checkpoints))
    pictures, told = [0] * styles, [[] for _ in range(styles)]
    steps: list[Step] = []
    for number in range(MOST_PROMPTS * styles):
        style = number % styles
        prompt = STYLES[style].format(SUBJECTS[int(generator.integers(len(SUBJECTS)))])
        answer = recommended(sums, prompt, names, seed=number)
        assert answer.progress is not None
        if answer.progress.alone:
            steps += [Step(progress, pictures[style] - before) for progress, before in told[style]]
            told[style] = []
        elif pictures[style] == 0 or told[style]:
            told[style].append((answer.progress, pictures[style]))
        seen = utilities[style, [names.index(name) for name in answer.checkpoints]]
        seen = seen + generator.gumbel(size=len(seen))
        teach(sums, answer, (seen == seen.max()) & (seen > -1.0 + generator.gumbel()))
        pictures[style] += len(answer.checkpoints)
    return steps


@pytest.mark.parametrize("checkpoints", [2, 3, 4, 6, 12])
def test_the_forecast_is_of_the_right_size(checkpoints: int) -> None:
    """Half of the time what is left is within a factor of two, in histories of one and of two kinds of prompts."""
    steps = [step for styles in (1, 2) for seed in range(5) for step in history(seed, checkpoints, styles)]

    told = [(step.progress.of_about - step.progress.pictures, step.left) for step in steps if step.progress.of_about]
    factors = numpy.array([max(about / left, left / about) for about, left in told])

    assert len(told) > 40
    assert len(told) > 0.9 * len(steps)
    assert float(numpy.median(factors)) < 2.0


@pytest.mark.parametrize("checkpoints", [2, 3, 4, 6, 9, 12, 25])
def test_in_a_plain_history_the_forecast_never_goes_up(checkpoints: int) -> None:
    """One kind of prompt and always the same favourite: the pictures add up, until it says that it decides alone."""
    sums, names, told = Accumulator(), named(checkpoints), []
    while not told or not told[-1].alone:
        answer = recommended(sums, "photorealistic portrait of a fox", names, seed=len(told))
        assert answer.progress is not None
        told.append(answer.progress)
        assert len(told) < MOST_PROMPTS
        teach(sums, answer, [name == names[1] for name in answer.checkpoints])

    *before, last = told
    assert [progress.alone for progress in before] == [False] * len(before)
    assert [progress.pictures for progress in told] == sorted(progress.pictures for progress in told)
    forecasts = [progress.of_about or 1_000 for progress in before]
    assert forecasts == sorted(forecasts, reverse=True)
    assert all(progress.of_about is None or progress.of_about > progress.pictures for progress in before)
    assert forecasts[-1] / 2 < last.pictures < forecasts[0] * 2


def test_what_was_taught_otherwise_is_further_away() -> None:
    """A person who picks now this and now that is told of more pictures than one with a favourite."""
    names, told = named(3), []
    for favourites in ((1,), (0, 1, 2)):
        sums = Accumulator()
        for number in range(4):
            answer = recommended(sums, "photorealistic portrait of a fox", names)
            favourite = names[favourites[number % len(favourites)]]
            teach(sums, answer, [name == favourite for name in answer.checkpoints])
        progress = recommended(sums, "photorealistic portrait of a fox", names).progress
        assert progress is not None
        told.append(progress.of_about or 1_000)

    assert told[0] < told[1]


def test_a_higher_threshold_is_further_away() -> None:
    """The node's own threshold decides, and none can be reached that is 1."""
    told = []
    for share in (0.4, 0.5, 0.7, 1.0):
        progress = recommended(Accumulator(), "a fox", named(3), thresholds=Thresholds(exploit=share)).progress
        assert progress is not None
        told.append(progress.of_about)

    assert None not in told[:3]
    assert told[0] < told[1] < told[2]
    assert told[3] is None


@pytest.mark.parametrize(
    "options",
    [
        {"stage": "draft"},
        {"explore": False},
        {"max_branches": 1},
        {"policy": "counts"},
        {"policy": "global"},
        {"curation": Curation(pinned=(named(3)[2],))},
    ],
    ids=["draft", "explore off", "one branch", "counts", "global", "pinned"],
)
def test_nothing_is_said_where_verdicts_do_not_decide_it(options: dict[str, object]) -> None:
    """Then the node says nothing of pictures to go."""
    sums, names = Accumulator(), named(3)
    for _ in range(3):
        answer = recommended(sums, "a fox", names)
        teach(sums, answer, [name == names[1] for name in answer.checkpoints])
    assert recommended(sums, "a fox", names).progress is not None

    assert recommended(sums, "a fox", names, **options).progress is None


def test_of_one_candidate_nothing_is_said() -> None:
    """It is alone anyway."""
    assert recommended(Accumulator(), "a fox", named(1)).progress is None


@pytest.mark.parametrize(
    ("progress", "sentence"),
    [
        (Progress(12, 20), "12 of about 20 pictures until it decides alone for such prompts."),
        (Progress(21, alone=True), "Decides alone for such prompts."),
        (Progress(90), "90 pictures of such prompts are judged, and none of the checkpoints stands out yet."),
    ],
)
def test_it_is_one_sentence(progress: Progress, sentence: str) -> None:
    """For the command line and `explain`."""
    assert progress_sentence(progress) == sentence


async def test_the_service_gives_it_with_every_answer(tmp_path: Path) -> None:
    """In the recommendation and in the full explanation alike."""
    names, first = named(3), Progress(0, 20)
    service = await PreferenceService.open(tmp_path / "preferences.db")
    try:
        plan = await service.recommend("a fox", names)
        explained = await service.explain("a fox", names)
    finally:
        await service.close()

    assert plan.progress == first
    expected = {"sentence": progress_sentence(first), "pictures": 0, "of_about": 20, "alone": False}
    assert explained["progress"] == expected
