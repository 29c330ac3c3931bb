"""Learning from others through the service: given with noise, taken as a start, listed, weighed and removed."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest
from context_checkpoint.learning.exchange.private_sums import GRAIN, noise_deviation
from context_checkpoint.learning.exchange.share_format import LARGEST, MOST_WORDS, read_shared
from context_checkpoint.learning.names import stored_name
from context_checkpoint.learning.prompts.public_words import PUBLIC_WORDS
from context_checkpoint.learning.service.sharing import PEOPLE, sums_of, together
from context_checkpoint.learning.values import Recommendation

NAMES = ["sdxl/a.safetensors", "sdxl/b.safetensors", "c.safetensors"]
FINGERPRINTS = dict(zip(NAMES, ("A" * 32, "B" * 32, "C" * 32), strict=True))


async def teach(service: PreferenceService, best: str, rounds: int, prompt: str = "anime castle, aunt mildred") -> None:
    for _ in range(rounds):
        recommendation = await service.recommend(prompt, NAMES)
        generation = await service.log_generation(recommendation, dict.fromkeys(recommendation.checkpoints, 1))
        others = {name: 1 for name in recommendation.checkpoints if name != best}
        kept = {best: 1} if best in recommendation.checkpoints else {}
        await service.record_feedback(generation, selected=kept, rejected=others)


def file(best: str = "b.safetensors", rounds: float = 30.0, **changes: Any) -> str:
    """As many verdicts on prompts with "anime", of which one checkpoint is best."""
    names = [name.rpartition("/")[2] for name in NAMES]
    numbers = [
        round(number / GRAIN)
        for name in names
        for number in (0.2 * rounds * (1.5 if name == best else -1), 0.2 * rounds)
    ]
    content = {
        "format": "context-checkpoint-share",
        "version": 1,
        "checkpoints": [{"name": name} for name in names],
        "words": {"anime": numbers},
    }
    return json.dumps({**content, **changes})


async def asked(service: PreferenceService, **options: Any) -> Recommendation:
    return await service.recommend("anime castle", NAMES, seed=1, **options)


async def test_a_start_leads_before_the_first_verdict_and_says_where_it_is_from(service: PreferenceService) -> None:
    """It is never sure, and no policy that reads no model follows it."""
    before = await asked(service)
    await service.adopt(file(), name="anna.json")

    with_it = await asked(service)

    assert before.taught_by == ()
    assert with_it.checkpoints[0] == "sdxl/b.safetensors"
    assert with_it.taught_by == ("anna.json",)
    assert with_it.explanation.endswith("; it also counts what others taught (anna.json).")
    assert with_it.confidence < 0.5
    assert (await asked(service, policy="counts")).taught_by == ()


async def test_removing_it_leaves_no_trace(service: PreferenceService) -> None:
    """Before verdicts and after them: the answers of a person who never adopted anything, to the bit."""
    await teach(service, NAMES[0], 6)
    before = await asked(service)

    await service.adopt(file(), name="anna.json")
    with_it = await asked(service)
    await service.remove_adopted("anna.json")

    assert with_it.scores != before.scores
    assert await asked(service) == before
    assert await service.adopted() == ()


async def test_ones_own_sums_do_not_change_when_something_is_adopted(service: PreferenceService) -> None:
    """Nor does a rebuild find anything to correct afterwards."""
    await teach(service, NAMES[0], 4)
    before = await service.statistics(limit=500)
    await service.adopt(file(), name="anna.json")

    assert await service.statistics(limit=500) == before
    await teach(service, NAMES[0], 4)
    assert (await service.rebuild()).corrected == 0


async def test_it_gives_way_to_verdicts_that_differ(service: PreferenceService) -> None:
    """Agreement falls, and the person's own best leads."""
    await service.adopt(file(rounds=1e6), name="anna.json")
    [at_first] = await service.adopted()
    await teach(service, NAMES[0], 10)

    [later] = await service.adopted()

    assert (await asked(service)).checkpoints[0] == NAMES[0]
    assert later.agreement < 0.2 < at_first.agreement
    assert (await asked(service)).taught_by == ()


async def test_what_is_adopted_is_listed_weighed_and_replaced_by_its_name(service: PreferenceService) -> None:
    """Weight 0 is as good as removed."""
    await service.adopt(file("a.safetensors"), name="anna.json")
    await service.adopt(file("b.safetensors", epsilon=2.0, noise=3.0), name="anna.json", weight=2.0)
    await service.adopt(file("c.safetensors"), name="ben.json")

    anna, ben = await service.adopted()
    assert (anna.name, anna.weight, anna.epsilon, anna.words, anna.checkpoints) == ("anna.json", 2.0, 2.0, 1, 3)
    assert (ben.name, ben.weight, ben.epsilon) == ("ben.json", 1.0, None)
    for each in (anna, ben):
        await service.weigh_adopted(each.name, 0.0)
    assert (await asked(service)).taught_by == ()
    for wrong in (service.remove_adopted("nobody"), service.weigh_adopted("nobody", 1.0)):
        with pytest.raises(InvalidRequest, match="Nothing is adopted as nobody") as refused:
            await wrong
        assert refused.value.code == "unknown_adopted"


async def test_a_checkpoint_is_found_by_its_fingerprint_under_any_name(service: PreferenceService) -> None:
    """And another file of the same name is not taken for it."""
    theirs = [
        {"name": "renamed.safetensors", "fingerprint": "B" * 32},
        {"name": "c.safetensors", "fingerprint": "D" * 32},
    ]
    words = {"anime": [9_000, 6_000, 90_000, 60_000]}
    await service.meet_files(FINGERPRINTS)
    await service.adopt(file(checkpoints=theirs, words=words), name="anna.json")

    scores = (await asked(service)).scores

    assert scores["sdxl/b.safetensors"] > 0.0
    assert scores["c.safetensors"] == scores["sdxl/a.safetensors"] == 0.0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "object"),
        (file(format="context-checkpoint"), "format"),
        (file(version=2), "version 2 of the format"),
        (file(words={"anime": [1, 2]}), "numbers"),
        (file(words={"anime": [0.5] * 6}), "words.anime"),
        (file(words={"anime": [2**60] * 6}), "words.anime"),
        (file(words={"x" * 5_000: [0] * 6}), "words"),
        (file(words={f"word {number}": [0] * 6 for number in range(MOST_WORDS + 1)}), "words"),
        (file(noise=-1.0), "noise"),
        (file(noise=float("nan")), "JSON|noise"),
        (file(prompt="a castle"), "prompt"),
        (" " * (LARGEST + 1), "larger than"),
        (b"\xff\xfe\x00", "JSON|utf"),
        ("[" * 100_000, "JSON|recursion"),
    ],
)
async def test_a_file_that_is_not_one_is_refused_with_the_reason(
    sqlite_service: PreferenceService, content: str | bytes, problem: str
) -> None:
    """Damaged, huge, hostile or of another version: nothing is adopted."""
    with pytest.raises(InvalidRequest, match=rf"(?s)(?i)This is no file.*({problem}).*Nothing was adopted"):
        await sqlite_service.adopt(content, name="anna.json")

    assert await sqlite_service.adopted() == ()


@pytest.mark.parametrize(
    ("name", "weight"), [("", 1.0), ("x" * 300, 1.0), (PEOPLE, 1.0), ("a", -1.0), ("a", float("nan"))]
)
async def test_a_name_or_a_weight_that_makes_no_sense_is_refused(
    sqlite_service: PreferenceService, name: str, weight: float
) -> None:
    """The name of what this server's people share is no file's."""
    with pytest.raises(InvalidRequest):
        await sqlite_service.adopt(file(), name=name, weight=weight)


async def test_a_shared_file_has_public_words_alone_and_can_be_adopted(service: PreferenceService) -> None:
    """Names of checkpoints without folders, no prompt and no other word; the noise is stated."""
    await service.meet_files(FINGERPRINTS)
    await teach(service, NAMES[1], 12)

    content = await service.share(epsilon=100.0, rng=random.Random(4))  # noqa: S311 - a test
    shared = read_shared(content)
    await service.adopt(content, name="anna.json")
    [adopted] = await service.adopted()

    assert "mildred" not in content
    assert "sdxl" not in content
    assert tuple(shared.words) == PUBLIC_WORDS
    assert shared.epsilon == 100.0
    assert shared.noise == noise_deviation(100)
    assert {each.name: each.fingerprint for each in shared.checkpoints} == {
        stored_name(name).rpartition("/")[2]: FINGERPRINTS[name] for name in NAMES
    }
    assert adopted.known_checkpoints == 3
    anime = shared.words["anime"]
    scores = {each.name: anime[2 * place] for place, each in enumerate(shared.checkpoints)}
    assert max(scores, key=lambda name: scores[name]) == "b.safetensors"


async def test_two_files_of_one_log_differ(sqlite_service: PreferenceService) -> None:
    """The noise is drawn anew, by the system's own source of chance."""
    await teach(sqlite_service, NAMES[0], 2)

    assert await sqlite_service.share() != await sqlite_service.share()


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 1e9, float("nan"), float("inf")])
async def test_an_epsilon_that_promises_nothing_is_refused(sqlite_service: PreferenceService, epsilon: float) -> None:
    """With what to choose instead."""
    with pytest.raises(InvalidRequest, match=r"choose a number from 0\.01 to 100"):
        await sqlite_service.share(epsilon)


async def test_what_people_share_needs_three_who_speak(service: PreferenceService) -> None:
    """It is listed like a file, and goes with the last of them."""
    await teach(service, NAMES[0], 5)
    one = await sums_of(service._database)

    assert together([one, one]) is None
    file_of_three = together([one, one, one])
    assert file_of_three is not None
    assert {"anime", "castle"} <= set(file_of_three.words)
    await service.forget_everything()
    await service.adopt_people(file_of_three)
    assert (await asked(service)).taught_by == (PEOPLE,)
    assert (await asked(service)).checkpoints[0] == NAMES[0]
    await service.adopt_people(None)
    assert (await asked(service)).taught_by == ()


async def test_forgetting_everything_forgets_what_was_adopted_too(service: PreferenceService) -> None:
    """As if the database were new."""
    await service.adopt(file(), name="anna.json")
    await service.forget_everything()

    assert await service.adopted() == ()
