"""The document's five test cases and its worked examples, by their names there.

Each runs twice: on the sums in memory, and through the real service on a real SQLite file. A person looks at
what is recommended, picture by picture, as the document's does; nothing is taught that was not shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy
import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.strategy import choose
from context_checkpoint.learning.values import Shown, Stage, Strategy, Thresholds

EPIC, DREAM, JUGGERNAUT, REALVIS = (
    "epicrealismXL_pureFix.safetensors",
    "dreamShaperXL.safetensors",
    "juggernautXL_v9.safetensors",
    "realvisxlV40.safetensors",
)
POOL = (EPIC, DREAM, JUGGERNAUT)


class Answer(Protocol):
    """What the cases look at; a `Recommendation` is one."""

    @property
    def checkpoints(self) -> tuple[str, ...]: ...
    @property
    def confidence(self) -> float: ...
    @property
    def strategy(self) -> Strategy: ...
    @property
    def scores(self) -> Mapping[str, float]: ...


class Learner(Protocol):
    """Recommends, and learns from a round."""

    async def ask(
        self, prompt: str, pool: Sequence[str] = POOL, *, stage: Stage = "final", policy: str = "bayesian"
    ) -> Answer: ...

    async def teach(
        self, prompt: str, answer: Answer, images: Mapping[str, int], selected: Mapping[str, int]
    ) -> None: ...


class _MemoryAnswer:
    def __init__(self, ranking, strategy: Strategy, checkpoints: tuple[str, ...]) -> None:
        self.checkpoints, self.strategy = checkpoints, strategy
        self.confidence, self.scores, self.utilities = ranking.confidence, ranking.scores, ranking.utilities


class InMemory:
    """The pure functions, joined by hand."""

    def __init__(self) -> None:
        self._tally = Accumulator()
        self._generator = numpy.random.default_rng(20)

    async def ask(self, prompt, pool=POOL, *, stage="final", policy="bayesian"):
        keywords = extract_keywords(prompt, phrases=policy != "counts")
        evidence = self._tally.evidence(keywords, pool)
        ranking = policy_named(policy).rank(keywords, pool, evidence, rng=self._generator)
        return _MemoryAnswer(ranking, *choose(ranking, stage=stage, explore=True, thresholds=Thresholds()))

    async def teach(self, prompt, answer, images, selected):
        shown = [
            Shown(name, count, selected.get(name, 0), count - selected.get(name, 0), answer.utilities.get(name))
            for name, count in images.items()
        ]
        self._tally.add(Comparison(extract_keywords(prompt), tuple(shown)))


class Served:
    """The service on a real database."""

    def __init__(self, service: PreferenceService) -> None:
        self._service = service
        self._seed = 0

    async def ask(self, prompt, pool=POOL, *, stage="final", policy="bayesian"):
        self._seed += 1
        return await self._service.recommend(prompt, pool, stage=stage, policy=policy, seed=self._seed)

    async def teach(self, prompt, answer, images, selected):
        rejected = {name: count - selected.get(name, 0) for name, count in images.items()}
        generation = await self._service.log_generation(answer, images)
        await self._service.record_feedback(generation, selected, {k: n for k, n in rejected.items() if n})


@pytest.fixture(params=["in memory", "service on SQLite"])
async def learner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Learner]:
    if request.param == "in memory":
        yield InMemory()
        return
    service = await PreferenceService.open(tmp_path / "preferences.db")
    yield Served(service)
    await service.close()


class Person:
    """Generates what is recommended, one image per checkpoint, and picks the favourite `rate` of the time.

    Else another of those shown is picked, or the single one shown is rejected. So is whatever is shown
    without the favourite.
    """

    def __init__(self, learner: Learner, favourite: str, *, rate: float = 1.0) -> None:
        self.learner, self.favourite, self.rate = learner, favourite, rate
        self.rounds = self.images = 0

    async def generate(self, prompt: str, pool: Sequence[str] = POOL) -> Answer:
        answer = await self.learner.ask(prompt, pool)
        self.rounds += 1
        self.images += len(answer.checkpoints)
        content = int(self.rounds * self.rate) > int((self.rounds - 1) * self.rate) or self.rounds == 1
        pick = self.favourite if content else next((c for c in answer.checkpoints if c != self.favourite), "")
        selected = {pick: 1} if pick in answer.checkpoints else {}
        await self.learner.teach(prompt, answer, dict.fromkeys(answer.checkpoints, 1), selected)
        return answer

    async def generate_images(self, images: int, prompt: str, pool: Sequence[str] = POOL) -> None:
        while self.images < images:
            await self.generate(prompt, pool)


pools = pytest.mark.parametrize("pool", [POOL, (*POOL, REALVIS)], ids=["3 checkpoints", "4 checkpoints"])


@pools
async def test_case_1_cold_start(learner: Learner, pool: tuple[str, ...]):
    """A fresh database explores three, and still does after one prompt that shares a word."""
    person = Person(learner, EPIC)
    first = await person.generate("anime girl", pool)
    assert (first.confidence, first.strategy, len(first.checkpoints)) == (0.0, "explore", 3)
    second = await learner.ask("anime boy", pool)
    assert 0.0 < second.confidence < 0.3
    assert len(second.checkpoints) == 3


@pools
async def test_case_2_warm_up(learner: Learner, pool: tuple[str, ...]):
    """Ten consistent pictures give medium confidence and the top two."""
    await Person(learner, EPIC).generate_images(10, "photorealistic portrait", pool)
    answer = await learner.ask("photorealistic portrait", pool)
    assert 0.3 < answer.confidence < 0.5
    assert answer.strategy == "exploit_explore"
    assert len(answer.checkpoints) == 2
    assert answer.checkpoints[0] == EPIC


@pools
async def test_case_3_established_preference(learner: Learner, pool: tuple[str, ...]):
    """Fifty pictures at 90 % give high confidence, though only one of two keywords is shared."""
    await Person(learner, EPIC, rate=0.9).generate_images(50, "photorealistic portrait", pool)
    answer = await learner.ask("photorealistic landscape", pool)
    assert answer.confidence > 0.7
    assert (answer.strategy, answer.checkpoints) == ("exploit", (EPIC,))


@pools
async def test_case_4_different_prompts(learner: Learner, pool: tuple[str, ...]):
    """A strong preference for one subject is not forced onto another."""
    await Person(learner, EPIC).generate_images(50, "photorealistic portrait", pool)
    answer = await learner.ask("anime girl", pool)
    assert answer.confidence < 0.3
    assert answer.strategy == "explore"
    assert len(set(answer.checkpoints)) == 3


@pools
async def test_case_5_draft_stage_override(learner: Learner, pool: tuple[str, ...]):
    """A draft compares several, whatever is known."""
    await Person(learner, EPIC).generate_images(50, "portrait", pool)
    assert (await learner.ask("portrait", pool)).confidence > 0.5
    draft = await learner.ask("portrait", pool, stage="draft")
    assert draft.confidence > 0.5
    assert (draft.strategy, len(draft.checkpoints)) == ("explore", 3)


async def test_example_one_shared_prompt_is_about_0_2(learner: Learner):
    """ "anime boy" after "anime girl": low, three checkpoints."""
    await Person(learner, EPIC).generate("anime girl")
    assert (await learner.ask("anime boy")).confidence == pytest.approx(0.2, abs=0.1)


async def test_example_fifteen_pictures_at_70_percent_are_about_0_42(learner: Learner):
    """Medium: the recommended one and a backup."""
    await Person(learner, DREAM, rate=0.7).generate_images(15, "anime")
    answer = await learner.ask("anime")
    assert answer.confidence == pytest.approx(0.42, abs=0.12)
    assert answer.strategy == "exploit_explore"
    assert answer.checkpoints[0] == DREAM


async def test_example_the_twentieth_prompt_is_about_0_7(learner: Learner):
    """Nineteen anime prompts, and "anime warrior" uses the single best checkpoint."""
    person = Person(learner, DREAM)
    subjects = "girl boy cat dog knight robot witch elf king queen mage ship car sword fox wolf owl bear lion"
    for subject in subjects.split():
        await person.generate(f"anime {subject}")
    answer = await learner.ask("anime warrior")
    assert answer.confidence == pytest.approx(0.7, abs=0.1)
    assert (answer.strategy, answer.checkpoints) == ("exploit", (DREAM,))


async def test_example_fifty_pictures_at_90_percent_are_about_0_85(learner: Learner):
    """High: a single checkpoint."""
    await Person(learner, EPIC, rate=0.9).generate_images(50, "photorealistic portrait")
    answer = await learner.ask("photorealistic portrait")
    assert answer.confidence == pytest.approx(0.85, abs=0.15)
    assert (answer.strategy, answer.checkpoints) == ("exploit", (EPIC,))


async def test_example_calculation_of_the_literal_rule(learner: Learner):
    """The three checkpoints of the document's table, by its own formula.

    The document prints 0.843, 0.407 and 0.243: means of the plain rates. Its formula shrinks each rate first.
    It prints 0.75 for the confidence; its formula gives min(110 / 100, 1).
    """
    table = {
        "photorealistic": {EPIC: (18, 20), DREAM: (8, 20), JUGGERNAUT: (2, 5)},
        "portrait": {EPIC: (15, 18), DREAM: (6, 15), JUGGERNAUT: (1, 3)},
        "woman": {EPIC: (12, 15), DREAM: (5, 12), JUGGERNAUT: (0, 2)},
    }
    for word, row in table.items():
        answer = await learner.ask(word, policy="counts")
        images = {name: total for name, (_, total) in row.items()}
        await learner.teach(word, answer, images, {name: n for name, (n, _) in row.items() if n})
    answer = await learner.ask("photorealistic portrait of a woman", policy="counts")
    assert answer.scores[EPIC] == pytest.approx((23 / 30 + 20 / 28 + 17 / 25) / 3)
    assert answer.scores[EPIC] == pytest.approx(0.72, abs=0.005)
    assert answer.scores[DREAM] == pytest.approx(0.443, abs=0.001)
    assert answer.scores[JUGGERNAUT] == pytest.approx(0.448, abs=0.001)
    assert answer.confidence == 1.0
    assert answer.checkpoints == (EPIC,)


@pytest.mark.parametrize(("images", "confidence"), [(0, 0.0), (10, 0.1), (50, 0.5), (100, 1.0), (140, 1.0)])
async def test_example_confidence_of_the_literal_rule(learner: Learner, images: int, confidence: float):
    """0, 10, 50, 100 and more data points."""
    if images:
        answer = await learner.ask("anime", policy="counts")
        await learner.teach("anime", answer, {EPIC: images}, {EPIC: images // 2})
    assert (await learner.ask("anime", policy="counts")).confidence == pytest.approx(confidence)
