"""What the explanation of a recommendation says."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.policies import POLICIES
from context_checkpoint.learning.recommendation.counterfactuals import MOST_PICKS
from context_checkpoint.learning.recommendation.decision import Decision, ask, decide
from context_checkpoint.learning.recommendation.explanation import finding, parts
from context_checkpoint.learning.recommendation.pins import Curation
from context_checkpoint.learning.values import Keyword, Recommendation, Shown, Stage
from tests.learning.conftest import ChangingSettings

POOL = ("sdxl/epic.safetensors", "dream.safetensors", "jugg.ckpt")


def picked(best: str, *texts: str) -> Comparison:
    words = tuple(Keyword(text) for text in texts)
    return Comparison(words, tuple(Shown(name, 1, int(name == best), int(name != best)) for name in POOL))


def decided(
    rounds: Sequence[Comparison],
    prompt: str,
    *,
    stage: Stage = "final",
    explore: bool = True,
    policy: str = "bayesian",
    pool: Sequence[str] = POOL,
) -> Decision:
    sums = Accumulator()
    for comparison in rounds:
        sums.add(comparison)
    question = ask(prompt, pool, policy=policy, stage=stage, explore=explore, max_branches=3, seed=0, thresholds=None)
    return decide(question, sums.evidence(question.keywords, pool))


def sentence_for(
    rounds: Sequence[Comparison],
    prompt: str,
    *,
    stage: Stage = "final",
    explore: bool = True,
    policy: str = "bayesian",
    pool: Sequence[str] = POOL,
) -> str:
    decision = decided(rounds, prompt, stage=stage, explore=explore, policy=policy, pool=pool)
    return decision.recommendation().explanation


def test_a_cold_start_says_that_nothing_is_known():
    """And names what it compares."""
    sentence = sentence_for([], "anime girl")
    assert sentence.startswith("Compare epic, ")
    assert "no verdict on a prompt like this one is known yet" in sentence


@pytest.mark.parametrize("prompt", ["", "( ) 1.2, 3 ::", "12345 !!", "BREAK, 2::{|}", "— %% ::"])
@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"global"}))
def test_a_prompt_without_a_word_is_said_to_have_none(prompt: str, policy: str):
    """No verdict on it could help; what would change the choice says so too."""
    decision = decided([picked(POOL[0], "cat")] * 12, prompt, policy=policy)
    assert decision.recommendation().explanation.endswith(": no word of the prompt could be read.")
    assert decision.explained()["would_change"]["sentence"] == "A prompt with words."


def test_little_data_and_no_clear_winner_are_different_answers():
    """One verdict lacks data; thirty that disagree lack a winner."""
    assert "little data" in sentence_for([picked(POOL[0], "cat")], "cat")
    disagreeing = [picked(POOL[number % 3], "cat") for number in range(30)]
    assert "no clear winner" in sentence_for(disagreeing, "cat")


def test_a_clear_winner_is_named_with_the_words_and_images_that_speak_for_it():
    """Which keywords, and on how many images."""
    sentence = sentence_for([picked(POOL[0], "cat", "night")] * 12, "cat at night")
    assert sentence.startswith("epic alone: it is the clear winner on such prompts")
    assert '12 of 12 for "cat"' in sentence


def test_two_branches_say_which_one_is_meant():
    """The best mostly, and one other."""
    assert sentence_for([picked(POOL[1], "cat")] * 4, "cat").startswith("Mostly dream, with ")


def test_a_draft_says_why_it_compares_however_sure():
    """The sentence names the override."""
    assert "The draft stage compares several" in sentence_for([picked(POOL[0], "cat")] * 12, "cat", stage="draft")


def test_without_exploring_a_guess_is_called_one():
    """One checkpoint, shown because nothing else was allowed."""
    assert "no verdict on a prompt like this one" in sentence_for([], "cat", explore=False)


def test_two_files_of_one_name_in_two_folders_are_told_apart():
    """In the sentence, in what pins add to it, in the finding and in what would change it."""
    pool = ("photo/epic.safetensors", "anime/epic.safetensors", "dream.ckpt")
    best = Comparison((Keyword("cat"),), tuple(Shown(name, 1, int(name == pool[1])) for name in pool))
    decision = decided([best] * 4, "cat", pool=pool)
    assert decision.recommendation().explanation.startswith("Mostly anime/epic, with ")
    explained = decision.explained()
    assert "anime/epic" in explained["summary"]
    assert not explained["would_change"]["sentence"].startswith("epic")
    assert sentence_for([], "cat", pool=pool[:2]) in (
        "Compare photo/epic and anime/epic: no verdict on a prompt like this one is known yet.",
        "Compare anime/epic and photo/epic: no verdict on a prompt like this one is known yet.",
    )


def test_a_single_candidate_needs_no_reason():
    """There was nothing to choose."""
    assert sentence_for([], "cat", pool=POOL[:1]) == "epic is the only candidate."


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [0, 1, 30])
def test_every_policy_is_explained_in_one_sentence(policy: str, count: int):
    """One line, one full stop at its end, no number that nobody reads."""
    sentence = sentence_for([picked(POOL[0], "cat")] * count, "cat", policy=policy)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "nan" not in sentence


@pytest.mark.parametrize(
    ("evidence", "clarity", "expected"),
    [
        (0.0, 0.9, "nothing_known"),
        (0.2, 0.9, "little_data"),
        (0.9, 0.4, "no_clear_winner"),
        (0.9, 0.9, "clear_winner"),
    ],
)
def test_the_smaller_of_evidence_and_clarity_is_what_is_missing(evidence, clarity, expected):
    """The four answers."""
    recommendation = Recommendation(
        "cat", POOL, evidence * clarity, "explore", dict.fromkeys(POOL, 0.0), "bayesian", (), "",
        evidence=evidence, clarity=clarity,
    )  # fmt: skip
    assert finding(recommendation) == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_in_full_it_is_json_with_all_that_counted(policy: str):
    """Keywords with their rounds, candidates best first, what speaks for and against each."""
    rounds = [picked(POOL[0], "cat", "night"), picked(POOL[1], "anime", "night")] * 5
    decision = decided(rounds, "cat, night, fog", policy=policy)
    full = decision.explained()
    assert json.loads(json.dumps(full)) == full
    assert [row["checkpoint"] for row in full["checkpoints"]] == list(decision.ranking.order)
    assert {word["text"]: word["rounds"] for word in full["keywords"]} == {
        "cat": 5.0,
        "night": 10.0,
        "fog": 0.0,
    }
    best = full["checkpoints"][0]
    assert (best["selected"], best["total"]) == (5, 10)
    if policy != "global":
        assert best["checkpoint"] == POOL[0]
        assert best["speak_for"][0]["keyword"] == "cat"


def test_what_speaks_against_a_checkpoint_is_listed():
    """The words with which its images were thrown away."""
    rounds = [picked(POOL[0], "cat"), picked(POOL[1], "anime"), picked(POOL[2], "castle")] * 5
    rows = decided(rounds, "cat").explained()["checkpoints"]
    loser = next(row for row in rows if row["checkpoint"] == POOL[1])
    assert [(reason["keyword"], reason["selected"], reason["total"]) for reason in loser["speak_against"]] == [
        ("cat", 0, 5)
    ]


def test_a_checkpoint_without_a_verdict_is_not_called_the_leader():
    """A pool of strangers: others were judged for such prompts, but none of these."""
    sentence = sentence_for([picked(POOL[0], "cat")] * 6, "cat", pool=["new.safetensors", "newer.safetensors"])
    assert "no verdict on these checkpoints is known yet" in sentence
    assert "leads" not in sentence


def test_a_newcomer_among_rejected_ones_is_called_unjudged():
    """It is first because the others were thrown away, which is not a lead of its own."""
    thrown = Comparison((Keyword("cat"),), tuple(Shown(name, 1, rejected=1) for name in POOL))
    sentence = sentence_for([thrown] * 3, "cat", pool=[*POOL, "new.safetensors"])
    assert "little data on such prompts, and no verdict on new is known yet" in sentence


def test_a_sign_of_drift_is_mentioned():
    """Three rejections of what was sure to be kept."""
    rounds = [picked(POOL[0], "cat")] * 12
    rejected = [Comparison((Keyword("cat"),), (Shown(POOL[0], 1, rejected=1),))] * 3
    sentences = [sentence_for(verdicts, "cat") for verdicts in (rounds, rounds + rejected)]
    assert ["not as expected" in sentence for sentence in sentences] == [False, True]


class TestTheParts:
    """What the sentence says, for putting it into another language."""

    async def test_they_say_what_the_sentence_says(
        self, service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """The beginning, the finding, the leader and the words with their images."""
        for _ in range(12):
            recommendation = await service.recommend("cat at night", POOL, stage="draft", seed=1)
            generation_id = await service.log_generation(recommendation, dict.fromkeys(POOL, 1))
            await service.record_feedback(generation_id, {POOL[0]: 1}, {POOL[1]: 1, POOL[2]: 1})
        explained = parts(await service.recommend("cat at night", POOL))
        assert (explained["opening"], explained["pinned"], explained["problem"]) == ("alone", [], "")
        grounds = explained["grounds"]
        assert grounds is not None
        assert (grounds["finding"], grounds["leader"]) == ("clear_winner", POOL[0])
        assert grounds["kept"][0]["selected"] == grounds["kept"][0]["total"] == 12
        full = await service.explain("cat at night", POOL)
        assert full["grounds"] == grounds
        assert json.loads(json.dumps(explained)) == explained

        settings.change(curation=Curation(pinned=(POOL[2],)))
        recommendation = await service.recommend("cat at night", POOL, explore=False)
        pinned = parts(recommendation)
        assert (recommendation.checkpoints, pinned["pinned"]) == ((POOL[2],), [POOL[2]])
        assert pinned["grounds"] == grounds
        assert "jugg alone: epic is the clear winner" in recommendation.explanation

    async def test_a_cold_start_knows_nothing_and_a_single_candidate_was_not_asked(
        self, service: PreferenceService
    ) -> None:
        """Nothing is made up."""
        explained = parts(await service.recommend("cat", POOL))
        assert explained["opening"] == "compare"
        assert explained["grounds"] is not None
        assert (explained["grounds"]["finding"], explained["grounds"]["kept"]) == ("nothing_known", [])
        assert (await service.recommend("cat", POOL, stage="draft")).stage == "draft"
        assert parts(await service.recommend("cat", POOL, stage="draft"))["opening"] == "draft"
        alone = parts(await service.recommend("cat", POOL[:1]))
        assert (alone["opening"], alone["grounds"]) == ("only_candidate", None)


class TestWhatWouldChange:
    """By the real service: what it says is what then happens."""

    async def judge(self, service: PreferenceService, prompt: str, winner: str, rounds: int = 1) -> None:
        for _ in range(rounds):
            recommendation = await service.recommend(prompt, POOL, stage="draft", seed=1)
            shown = dict.fromkeys(POOL, 1)
            generation_id = await service.log_generation(recommendation, shown)
            lost = {name: 1 for name in POOL if name != winner}
            await service.record_feedback(generation_id, {winner: 1}, lost)

    @pytest.mark.parametrize("policy", POLICIES)
    async def test_so_many_picks_of_the_runner_up_put_it_first(
        self, service: PreferenceService, settings: ChangingSettings, policy: str
    ) -> None:
        """One pick fewer changes nothing, that many do."""
        settings.change(policy=policy)
        await self.judge(service, "cat", POOL[0], 3)
        await self.judge(service, "cat", POOL[1])
        before = await service.explain("cat", POOL)
        change = before["would_change"]
        assert (before["checkpoints"][0]["checkpoint"], change["runner_up"]) == (POOL[0], POOL[1])
        assert change["behind"] > 0.0
        assert change["picks"] is not None
        assert f"dream is second, {change['behind']:.2f} behind" in change["sentence"]

        for number in range(change["picks"]):
            now = await service.recommend("cat", POOL, explore=False)
            assert now.checkpoints[0] == POOL[0], number
            generation_id = await service.log_generation(now, {POOL[0]: 1, POOL[1]: 1})
            await service.record_feedback(generation_id, {POOL[1]: 1}, {POOL[0]: 1})

        assert (await service.recommend("cat", POOL, explore=False)).checkpoints[0] == POOL[1]

    async def test_the_word_that_decides_is_named(self, service: PreferenceService) -> None:
        """Leaving it out of the prompt changes the first checkpoint, and leaving out another does not."""
        await self.judge(service, "anime city", POOL[0], 9)
        await self.judge(service, "city photo", POOL[1], 9)
        await self.judge(service, "old city", POOL[1], 9)
        change = (await service.explain("anime of a city", POOL))["would_change"]

        assert change["without"] == [{"keyword": "anime", "checkpoint": POOL[1]}]
        assert 'First would be, without "anime", dream.' in change["sentence"]
        assert (await service.recommend("a city", POOL, explore=False)).checkpoints == (POOL[1],)
        assert (await service.recommend("anime", POOL, explore=False)).checkpoints == (POOL[0],)

    async def test_a_clear_winner_is_not_turned_by_a_few_picks(self, service: PreferenceService) -> None:
        """Beyond what was tried no number is made up."""
        await self.judge(service, "cat", POOL[0], 80)
        change = (await service.explain("cat", POOL, policy="counts"))["would_change"]
        assert change["picks"] is None
        assert f"even {MOST_PICKS} more picks" in change["sentence"]

    async def test_where_nothing_is_known_any_verdict_would(self, service: PreferenceService) -> None:
        """And with one candidate nothing would."""
        full = await service.explain("cat", POOL)
        assert (full["finding"], full["would_change"]["sentence"]) == (
            "nothing_known",
            "Any verdict on such a prompt.",
        )
        alone = await service.explain("cat", POOL[:1])
        assert alone["would_change"]["runner_up"] == ""

    async def test_names_are_spelled_as_the_caller_does(self, service: PreferenceService) -> None:
        """Windows' backslashes come back."""
        pool = [name.replace("/", "\\") for name in POOL]
        await self.judge(service, "cat", POOL[1], 3)
        change = (await service.explain("cat", pool))["would_change"]
        assert change["runner_up"] in pool
