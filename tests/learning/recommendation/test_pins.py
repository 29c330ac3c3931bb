"""Pinned checkpoints are among what is shown, banned ones are no candidates, whatever was learned."""

from __future__ import annotations

import logging

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest
from context_checkpoint.learning.recommendation.pins import Curation
from tests.learning.conftest import ChangingSettings

CANDIDATES = ["epic.safetensors", "dream.safetensors", "sub/jugger.safetensors", "toon.safetensors"]
EPIC, DREAM, JUGGER, TOON = CANDIDATES


@pytest.fixture
async def taught(service: PreferenceService) -> PreferenceService:
    """Twenty rounds in which EPIC's image was kept: it is shown alone for such prompts."""
    for _ in range(20):
        recommendation = await service.recommend("a castle", CANDIDATES[:3], stage="draft")
        generation = await service.log_generation(recommendation, dict.fromkeys(recommendation.checkpoints, 1))
        lost = {name: 1 for name in recommendation.checkpoints if name != EPIC}
        await service.record_feedback(generation, {EPIC: 1}, lost)
    assert (await service.recommend("a castle", CANDIDATES)).checkpoints == (EPIC,)
    return service


async def test_a_pinned_checkpoint_is_shown_beside_the_best(
    taught: PreferenceService, settings: ChangingSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The best stays first; the explanation and the log say why the other one is there."""
    settings.change(curation=Curation(pinned=(TOON,)), decision_log="document")
    caplog.set_level(logging.INFO)

    recommendation = await taught.recommend("a castle", CANDIDATES)

    assert (recommendation.checkpoints, recommendation.strategy) == ((EPIC, TOON), "exploit_explore")
    assert recommendation.explanation.endswith("Pinned: toon.")
    assert f"Pinned, so shown whatever was learned: ['{TOON}']" in caplog.text
    assert (await taught.explain("a castle", CANDIDATES))["strategy"] == "exploit_explore"


async def test_pins_take_the_place_of_the_least_where_no_branch_is_left(
    taught: PreferenceService, settings: ChangingSettings
) -> None:
    """One branch is the pin's, three hold all three pins, and a fourth pin has no room."""
    settings.change(curation=Curation(pinned=(TOON,)))
    alone = await taught.recommend("a castle", CANDIDATES, max_branches=1)
    sure = await taught.recommend("a castle", CANDIDATES, explore=False)
    settings.change(curation=Curation(pinned=(TOON, DREAM, JUGGER)))
    three = await taught.recommend("a castle", CANDIDATES)
    settings.change(curation=Curation(pinned=tuple(CANDIDATES)))
    four = await taught.recommend("a castle", CANDIDATES)

    assert (alone.checkpoints, alone.strategy) == ((TOON,), "exploit")
    assert (sure.checkpoints, sure.strategy) == ((TOON,), "exploit")
    assert (set(three.checkpoints), three.strategy) == ({TOON, DREAM, JUGGER}, "explore")
    assert len(four.checkpoints) == 3
    assert four.checkpoints[0] == EPIC


@pytest.mark.parametrize("seed", range(8))
async def test_a_pin_is_shown_while_exploring_too(
    service: PreferenceService, settings: ChangingSettings, seed: int
) -> None:
    """Of four unknown checkpoints three are tried by chance, and always the pinned one."""
    settings.change(curation=Curation(pinned=(JUGGER,)))

    recommendation = await service.recommend("a castle", CANDIDATES, seed=seed)

    assert JUGGER in recommendation.checkpoints
    assert (len(recommendation.checkpoints), recommendation.strategy) == (3, "explore")


async def test_a_pin_that_is_no_candidate_changes_nothing(
    taught: PreferenceService, settings: ChangingSettings
) -> None:
    """Another family's checkpoint must not get into a graph that cannot use it."""
    settings.change(curation=Curation(pinned=("flux.safetensors",)))

    assert (await taught.recommend("a castle", CANDIDATES)).checkpoints == (EPIC,)


async def test_a_banned_checkpoint_is_no_candidate_in_any_spelling(
    taught: PreferenceService, settings: ChangingSettings
) -> None:
    """Windows lists the same file with a backslash; what was learned of a banned one is kept."""
    settings.change(curation=Curation(banned=(EPIC, JUGGER)))
    spelled = [EPIC, DREAM, "sub\\jugger.safetensors"]

    recommendation = await taught.recommend("a castle", spelled)
    settings.change(curation=Curation())
    again = await taught.recommend("a castle", CANDIDATES)

    assert recommendation.checkpoints == (DREAM,)
    assert set(recommendation.scores) == {DREAM}
    assert again.checkpoints == (EPIC,)


async def test_banning_every_candidate_is_refused_with_advice(
    service: PreferenceService, settings: ChangingSettings
) -> None:
    """The message names them and how to lift a ban."""
    settings.change(curation=Curation(banned=(EPIC,)))

    with pytest.raises(InvalidRequest, match=r"Every candidate is banned: epic.*Lift a ban") as refused:
        await service.recommend("a castle", [EPIC])
    assert refused.value.code == "no_candidates"
