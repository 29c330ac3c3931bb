"""The use cases: recommend, log, judge, and read back. Each runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest, InvalidVerdict, UnknownGeneration, UnknownImage
from context_checkpoint.learning.policies import DEFAULT_POLICY
from context_checkpoint.learning.values import ImageFile, Recommendation, Thresholds
from tests.learning.conftest import ChangingSettings

CANDIDATES = ["epicrealismXL.safetensors", "dreamShaperXL.safetensors", "juggernautXL.safetensors"]
EPIC, DREAM, JUGGER = CANDIDATES


async def judge(service: PreferenceService, prompt: str, winner: str, rounds: int = 1, *, stage: str = "draft") -> None:
    """Show all candidates for a prompt and keep the winner's image, some rounds long."""
    for _ in range(rounds):
        recommendation = await service.recommend(prompt, CANDIDATES, stage=stage)
        shown = dict.fromkeys(recommendation.checkpoints, 1)
        generation_id = await service.log_generation(recommendation, shown)
        await service.record_feedback(generation_id, {winner: 1}, {name: 1 for name in shown if name != winner})


async def shown(service: PreferenceService, prompt: str = "anime girl", **images: int) -> str:
    """Log one generation of these images, by any recommendation."""
    recommendation = await service.recommend(prompt, list(images))
    return await service.log_generation(recommendation, images)


class TestRecommend:
    async def test_without_experience_three_checkpoints_are_explored(self, service: PreferenceService) -> None:
        """A fresh database knows nothing and says so."""
        recommendation = await service.recommend("anime girl", CANDIDATES)

        assert (recommendation.strategy, len(recommendation.checkpoints), recommendation.confidence) == (
            "explore",
            3,
            0.0,
        )
        assert set(recommendation.scores) == set(CANDIDATES)

    async def test_what_was_picked_for_a_prompt_is_recommended_for_it(self, service: PreferenceService) -> None:
        """Twenty consistent rounds make the next similar prompt exploit the winner."""
        await judge(service, "anime girl with long hair", DREAM, rounds=20)

        recommendation = await service.recommend("anime girl", CANDIDATES)

        assert recommendation.checkpoints == (DREAM,)
        assert recommendation.strategy == "exploit"

    async def test_a_negative_prompt_is_learned_apart(self, service: PreferenceService) -> None:
        """What was picked against "anime" counts where anime is unwanted, and not where it is wanted."""
        for _ in range(12):
            recommendation = await service.recommend("a castle", CANDIDATES, stage="draft", negative="anime, cartoon")
            generation_id = await service.log_generation(recommendation, dict.fromkeys(recommendation.checkpoints, 1))
            lost = {name: 1 for name in recommendation.checkpoints if name != EPIC}
            await service.record_feedback(generation_id, {EPIC: 1}, lost)

        logged = await service.generation(generation_id)
        assert [word.text for word in logged.keywords] == ["castle", "-anime", "-cartoon"]
        unwanted = await service.recommend("a lake", CANDIDATES, negative="anime")
        wanted = await service.recommend("anime", CANDIDATES)
        assert (unwanted.checkpoints[0], wanted.evidence) == (EPIC, 0.0)
        assert unwanted.evidence > 0.0
        assert unwanted.explanation != wanted.explanation

    async def test_names_come_back_in_the_callers_own_spelling(self, service: PreferenceService) -> None:
        """Windows lists `sub\\a`; what is learned counts for `sub/a`, the answer is spelled as asked."""
        generation_id = await shown(service, **{"sub\\a.safetensors": 1, "b": 1})
        await service.record_feedback(generation_id, {"sub/a.safetensors": 1}, {"b": 1})

        recommendation = await service.recommend("anime girl", ["b", "sub\\a.safetensors"])

        assert recommendation.checkpoints[0] == "sub\\a.safetensors"
        assert "sub\\a.safetensors" in recommendation.scores
        assert all(reason.checkpoint in ("b", "sub\\a.safetensors") for reason in recommendation.reasons)

    async def test_a_candidate_named_twice_counts_once(self, service: PreferenceService) -> None:
        """Duplicates, also those that differ in the separator alone, are one candidate."""
        recommendation = await service.recommend("anime", ["x/a", "x\\a", "b", "b", "x/a"])

        assert sorted(recommendation.checkpoints) == ["b", "x/a"]

    async def test_three_hundred_candidates_are_ranked(self, service: PreferenceService) -> None:
        """A large collection is no reason to fail."""
        names = [f"folder/checkpoint {number}.safetensors" for number in range(300)]

        recommendation = await service.recommend("anime girl", names)

        assert len(recommendation.scores) == 300
        assert set(recommendation.checkpoints) <= set(names)

    @pytest.mark.parametrize("candidates", [[], ["", "  "]])
    async def test_no_candidates_is_an_error(self, service: PreferenceService, candidates: list[str]) -> None:
        """There is nothing to recommend, and the message says what to do."""
        with pytest.raises(InvalidRequest, match="Name at least one candidate") as raised:
            await service.recommend("anime girl", candidates)

        assert raised.value.code == "no_candidates"

    @pytest.mark.parametrize(
        "prompt",
        [
            "",
            "   \n",
            "!!! ... ((())) ,,,",
            "beautiful, " * 10_000,
            "一个女孩站在樱花树下",
            "桜の木の下の少女、傑作",
            "девушка под вишнёвым деревом",
            "🌸👧🏽✨",
            "null \x00 byte",
            "lone \ud800 surrogate",
        ],
        ids=["empty", "blank", "punctuation", "100 kB", "zh", "ja", "ru", "emoji", "null", "surrogate"],
    )
    async def test_any_prompt_can_be_served_logged_and_judged(self, service: PreferenceService, prompt: str) -> None:
        """Whatever is typed, the generation is logged, judged and found again."""
        recommendation = await service.recommend(prompt, CANDIDATES)
        generation_id = await service.log_generation(recommendation, dict.fromkeys(recommendation.checkpoints, 1))

        judged = await service.record_feedback(generation_id, {recommendation.checkpoints[0]: 1})

        assert judged == await service.generation(generation_id)
        assert judged.judged_at is not None

    async def test_the_same_seed_repeats_until_something_is_learned(self, service: PreferenceService) -> None:
        """Exploring draws; a seed makes the draw repeatable, for one prompt and one state of learning."""
        names = [f"c{number}" for number in range(40)]

        first = await service.recommend("anime", names, seed=7)
        again = await service.recommend("anime", names, seed=7)
        others = [(await service.recommend(prompt, names, seed=7)).checkpoints for prompt in ("a1", "b2", "c3")]

        assert again == first
        assert any(checkpoints != first.checkpoints for checkpoints in others)

    async def test_a_seed_beyond_64_bits_or_below_zero_is_taken(self, service: PreferenceService) -> None:
        """ComfyUI's seeds are large, scripts send -1."""
        for seed in (2**64 - 1, -1, 2**70):
            assert (await service.recommend("anime", CANDIDATES, seed=seed)).seed == seed

    async def test_without_a_seed_chance_is_fresh(self, service: PreferenceService) -> None:
        """Forty unknown checkpoints are not always explored in the same order."""
        names = [f"c{number}" for number in range(40)]

        drawn = {(await service.recommend("anime", names)).checkpoints for _ in range(10)}

        assert len(drawn) > 1

    async def test_an_unknown_policy_or_stage_names_the_choices(self, service: PreferenceService) -> None:
        """A wrong word is answered with the right ones."""
        with pytest.raises(InvalidRequest, match="bayesian") as raised:
            await service.recommend("anime", CANDIDATES, policy="magic")
        with pytest.raises(InvalidRequest, match="draft, standard, final"):
            await service.recommend("anime", CANDIDATES, stage="sketch")
        with pytest.raises(InvalidRequest, match="max_branches"):
            await service.recommend("anime", CANDIDATES, max_branches=4)

        assert raised.value.code == "unknown_policy"

    async def test_thresholds_the_wrong_way_round_are_refused(self) -> None:
        """Exploiting below exploring would leave no place for two branches."""
        with pytest.raises(ValueError, match="wrong way round"):
            Thresholds(exploit=0.3, explore=0.5)

    async def test_the_policy_of_the_settings_is_used_where_none_is_named(
        self, service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """They are read for each question, so that a change counts at once."""
        before = await service.recommend("anime", CANDIDATES)
        settings.change(policy="counts")

        assert before.policy == DEFAULT_POLICY
        assert (await service.recommend("anime", CANDIDATES)).policy == "counts"
        assert (await service.recommend("anime", CANDIDATES, policy="global")).policy == "global"

    async def test_the_thresholds_of_the_settings_are_used_where_none_are_given(
        self, service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """Above an explore threshold of 0 and below an exploit threshold of 1, two are shown."""
        await judge(service, "anime girl", DREAM, rounds=5)
        settings.change(thresholds=Thresholds(exploit=1.0, explore=0.0))

        assert (await service.recommend("anime girl", CANDIDATES)).strategy == "exploit_explore"
        thresholds = Thresholds(exploit=1.0, explore=1.0)
        assert (await service.recommend("anime girl", CANDIDATES, thresholds=thresholds)).strategy == "explore"

    async def test_explaining_tells_what_recommending_does(self, service: PreferenceService) -> None:
        """The explanation in full is plain data about the same decision, and changes nothing."""
        await judge(service, "anime girl", DREAM, rounds=5)
        before = await service.learned_version()

        explained = await service.explain("anime girl", CANDIDATES)

        assert DREAM in str(explained)
        assert await service.learned_version() == before


class TestLogLines:
    """The document prints these lines; people look for them in their logs."""

    async def lines(
        self,
        caplog: pytest.LogCaptureFixture,
        service: PreferenceService,
        settings: ChangingSettings,
        **question: object,
    ) -> tuple[Recommendation, list[str]]:
        settings.change(decision_log="document")
        with caplog.at_level(logging.INFO, logger="context_checkpoint.learning.service.service"):
            caplog.clear()
            recommendation = await service.recommend("anime girl\nwith long hair", CANDIDATES, **question)
        return recommendation, [f"{record.levelname}: {record.getMessage()}" for record in caplog.records]

    async def test_nothing_is_logged_unless_it_is_asked_for(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService
    ) -> None:
        """The browser asks as somebody types: a log of that would be a log of nothing else."""
        with caplog.at_level(logging.DEBUG, logger="context_checkpoint.learning.service.service"):
            await sqlite_service.recommend("anime girl", CANDIDATES)

        assert caplog.records == []

    async def test_one_line_per_decision(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """For programs: names and values, whatever the prompt holds."""
        settings.change(decision_log="decisions")
        with caplog.at_level(logging.INFO, logger="context_checkpoint.learning.service.service"):
            recommendation = await sqlite_service.recommend("anime\ndecision policy=x", CANDIDATES, seed=1)
            settings.change(keep_prompts=False)
            await sqlite_service.recommend("anime girl", CANDIDATES)
        first, second = [record.getMessage() for record in caplog.records]

        assert first.startswith(
            f"decision strategy=explore checkpoints={list(recommendation.checkpoints)} confidence=0.000 evidence=0.000 "
        )
        assert f" policy=bayesian stage=final candidates={len(CANDIDATES)} keywords=" in first
        assert first.endswith(" prompt='anime decision policy=x'")
        assert "\n" not in first
        assert second.endswith(" prompt=(not kept)")

    async def test_low_confidence(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """Exploring three."""
        recommendation, lines = await self.lines(caplog, sqlite_service, settings)

        assert lines == [
            (
                f"INFO: Context-aware checkpoint recommendation: {recommendation.checkpoints[0]} (confidence: 0.00) "
                "for prompt: anime girl with long hair"
            ),
            f"INFO: Low confidence (0.00), exploring 3 checkpoints: {list(recommendation.checkpoints)}",
        ]

    async def test_high_confidence(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """A single checkpoint."""
        await judge(sqlite_service, "anime girl with long hair", DREAM, rounds=20)

        recommendation, lines = await self.lines(caplog, sqlite_service, settings)

        assert lines == [
            (
                f"INFO: Context-aware checkpoint recommendation: {DREAM} (confidence: {recommendation.confidence:.2f}) "
                "for prompt: anime girl with long hair"
            ),
            f"INFO: High confidence ({recommendation.confidence:.2f}), using single checkpoint: {DREAM}",
        ]

    async def test_medium_confidence(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """The top two."""
        await judge(sqlite_service, "anime girl with long hair", DREAM, rounds=20)

        recommendation, lines = await self.lines(
            caplog, sqlite_service, settings, thresholds=Thresholds(exploit=1.0, explore=0.1)
        )

        names = list(recommendation.checkpoints)
        assert len(names) == 2
        assert lines[1] == f"INFO: Medium confidence ({recommendation.confidence:.2f}), testing top 2: {names}"

    async def test_a_draft_is_not_called_low_confidence(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """The document's override has no line of its own; "Low confidence (0.83)" would mislead."""
        await judge(sqlite_service, "anime girl with long hair", DREAM, rounds=20)

        recommendation, lines = await self.lines(caplog, sqlite_service, settings, stage="draft")

        names, confidence = list(recommendation.checkpoints), f"{recommendation.confidence:.2f}"
        assert lines[1] == f"INFO: Draft stage (confidence {confidence}), exploring 3 checkpoints: {names}"

    async def test_a_long_prompt_is_cut(
        self, caplog: pytest.LogCaptureFixture, sqlite_service: PreferenceService, settings: ChangingSettings
    ) -> None:
        """A pasted document does not fill the log."""
        settings.change(decision_log="document")
        with caplog.at_level(logging.INFO, logger="context_checkpoint.learning.service.service"):
            await sqlite_service.recommend("word " * 20_000, CANDIDATES)

        assert [len(record.getMessage()) < 600 for record in caplog.records] == [True, True]


class TestLogging:
    async def test_a_generation_is_found_as_it_was_logged(self, service: PreferenceService) -> None:
        """Every field that goes in comes out."""
        recommendation = await service.recommend("(anime:1.3) girl", CANDIDATES, stage="standard", seed=3)
        files = [ImageFile("sub\\a", "x_1.png", "today", "output"), ImageFile("b", "x_2.png", "", "temp")]

        generation_id = await service.log_generation(recommendation, files, session_id="monday", prompt_id="p-1")
        generation = await service.generation(generation_id)

        assert (generation.id, generation.session_id, generation.prompt_id) == (generation_id, "monday", "p-1")
        assert (generation.prompt, generation.stage, generation.policy) == (
            "(anime:1.3) girl",
            "standard",
            recommendation.policy,
        )
        assert (generation.strategy, generation.confidence, generation.keywords) == (
            recommendation.strategy,
            recommendation.confidence,
            recommendation.keywords,
        )
        assert [image.file for image in generation.images] == [
            ImageFile("sub/a", "x_1.png", "today", "output"),
            files[1],
        ]
        assert [image.position for image in generation.images] == [0, 1]
        assert generation.judged_at is None
        assert {image.verdict for image in generation.images} == {None}

    async def test_the_clock_is_the_given_one_and_in_utc(self, database: str) -> None:
        """Times are stored in UTC, whatever zone they came in."""
        there = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=9)))
        service = await PreferenceService.open(database, clock=lambda: there)

        generation = await service.generation(await shown(service, a=1))
        await service.close()

        assert generation.created_at == there
        assert generation.created_at.utcoffset() == timedelta(0)

    async def test_counts_become_one_image_each(self, service: PreferenceService) -> None:
        """{name: count} is the short form; a count of zero shows nothing."""
        generation = await service.generation(await shown(service, a=2, b=0, c=1))

        assert [image.file.checkpoint for image in generation.images] == ["a", "a", "c"]

    @pytest.mark.parametrize("images", [{}, [], {"a": 0}, {"a": -1}, {"a": True}, {"a": 10**9}])
    async def test_a_generation_without_sensible_images_is_refused(
        self, service: PreferenceService, images: dict[str, int]
    ) -> None:
        """Nothing was made, so nothing is logged."""
        recommendation = await service.recommend("anime", CANDIDATES)

        with pytest.raises(InvalidRequest):
            await service.log_generation(recommendation, images)

        assert await service.generations() == []

    async def test_files_can_be_attached_later(self, service: PreferenceService) -> None:
        """The sampler logs, the recorder knows where the images were saved."""
        generation_id = await shown(service, a=1, b=1)

        await service.attach_files(generation_id, [ImageFile("a", "1.png", "s", "output")])
        generation = await service.generation(generation_id)

        assert [image.file for image in generation.images] == [
            ImageFile("a", "1.png", "s", "output"),
            ImageFile("b"),
        ]
        with pytest.raises(UnknownImage, match="3 files for 2 images"):
            await service.attach_files(generation_id, [ImageFile("a")] * 3)

    async def test_generations_are_listed_newest_first_page_by_page(self, service: PreferenceService) -> None:
        """`before` takes the last id of the page before."""
        ids = [await shown(service, a=1) for _ in range(5)]

        first = [generation.id for generation in await service.generations(limit=2)]
        rest = [generation.id for generation in await service.generations(before=first[-1])]

        assert first + rest == ids[::-1]
        with pytest.raises(UnknownGeneration):
            await service.generations(before="nobody")

    async def test_generations_are_found_by_session_prompt_and_verdict(self, service: PreferenceService) -> None:
        """What a gallery, a script and a reminder ask for."""
        recommendation = await service.recommend("anime", CANDIDATES)
        one = await service.log_generation(recommendation, {EPIC: 1}, session_id="s1", prompt_id="p1")
        two = await service.log_generation(recommendation, {EPIC: 1}, session_id="s1", prompt_id="p2")
        await service.record_feedback(two, rejected={EPIC: 1})

        def ids(page: list[object]) -> list[str]:
            return [generation.id for generation in page]

        assert ids(await service.generations(session_id="s1")) == [two, one]
        assert ids(await service.generations(prompt_id="p1")) == [one]
        assert ids(await service.generations(judged=True)) == [two]
        assert ids(await service.generations(judged=False)) == [one]
        assert await service.generations(session_id="s2") == []

    async def test_generations_are_found_by_whether_an_image_was_kept(self, service: PreferenceService) -> None:
        """By the newest verdict: a withdrawn one keeps and rejects nothing."""
        kept, rejected, changed, withdrawn, _ = [await shown(service, a=2) for _ in range(5)]
        await service.record_feedback(kept, selected_images=[1])
        await service.record_feedback(rejected, rejected_images=[0])
        await service.record_feedback(changed, selected_images=[0])
        await service.record_feedback(changed, rejected_images=[0, 1])
        await service.record_feedback(withdrawn, selected_images=[0])
        await service.record_feedback(withdrawn)

        assert [generation.id for generation in await service.generations(kept=True)] == [kept]
        assert [generation.id for generation in await service.generations(kept=False)] == [changed, rejected]


class TestFeedback:
    async def test_counts_and_positions_say_the_same(self, service: PreferenceService) -> None:
        """Which of a checkpoint's images it was does not matter to what is learned."""
        by_counts = await service.record_feedback(await shown(service, a=2, b=1), {"a": 1}, {"b": 1})
        by_position = await service.record_feedback(
            await shown(service, a=2, b=1), selected_images=[1], rejected_images=[2]
        )

        assert [image.verdict for image in by_counts.images] == ["selected", None, "rejected"]
        assert [image.verdict for image in by_position.images] == [None, "selected", "rejected"]

    async def test_a_verdict_replaces_the_former_one(self, service: PreferenceService) -> None:
        """People change their mind: afterwards only the newest verdict has taught anything."""
        generation_id = await shown(service, a=1, b=1)
        await service.record_feedback(generation_id, {"a": 1}, {"b": 1})

        await service.record_feedback(generation_id, {"b": 1}, {"a": 1})
        rows = (await service.statistics()).checkpoints

        assert {(row.checkpoint, row.selected, row.total) for row in rows} == {("a", 0, 1), ("b", 1, 1)}

    async def test_the_same_verdict_twice_counts_once(self, service: PreferenceService) -> None:
        """Clients retry."""
        generation_id = await shown(service, a=1, b=1)
        first = await service.record_feedback(generation_id, {"a": 1}, {"b": 1})
        version = await service.learned_version()

        assert await service.record_feedback(generation_id, {"a": 1}, {"b": 1}) == first
        assert await service.learned_version() == version

    async def test_an_empty_verdict_withdraws_the_former_one(self, service: PreferenceService) -> None:
        """Nothing said teaches nothing, also after something was said."""
        generation_id = await shown(service, a=1, b=1)
        untaught = await service.statistics()
        await service.record_feedback(generation_id, {"a": 1}, {"b": 1})

        withdrawn = await service.record_feedback(generation_id, {}, {})

        assert withdrawn.judged_at is None
        assert await service.statistics() == untaught

    async def test_rejecting_all_is_a_verdict(self, service: PreferenceService) -> None:
        """None of them was good enough, and that is remembered."""
        generation_id = await shown(service, a=1, b=1)

        judged = await service.record_feedback(generation_id, rejected={"a": 1, "b": 1})
        statistics = await service.statistics()

        assert judged.judged_at is not None
        assert statistics.overview.rejected_all == 1
        assert {(row.checkpoint, row.selected, row.total) for row in statistics.checkpoints} == {
            ("a", 0, 1),
            ("b", 0, 1),
        }

    async def test_an_image_without_a_verdict_teaches_nothing_of_its_checkpoint(
        self, service: PreferenceService
    ) -> None:
        """Only what was judged is counted."""
        await service.record_feedback(await shown(service, a=1, b=1), {"a": 1})

        assert [row.checkpoint for row in (await service.statistics()).checkpoints] == ["a"]

    @pytest.mark.parametrize(
        ("verdict", "error", "message"),
        [
            ({"selected": {"c": 1}}, UnknownImage, "made none of this generation's images"),
            ({"selected": {"a": 3}}, InvalidVerdict, "a made 2 of the images, but 3"),
            ({"selected": {"a": 2}, "rejected": {"a": 1}}, InvalidVerdict, "Send at most 2"),
            ({"selected": {"a": -1}}, InvalidVerdict, "whole number from 0"),
            ({"selected": {"a": True}}, InvalidVerdict, "whole number from 0"),
            ({"selected_images": [3]}, UnknownImage, "There is no image 3: this generation has 3"),
            ({"rejected_images": [-1]}, UnknownImage, "There is no image -1"),
            ({"selected_images": [0], "rejected_images": [0]}, InvalidVerdict, "both selected and rejected"),
            ({"selected_images": [0.5]}, InvalidVerdict, "whole number"),
            ({"selected": {"a": 1}, "rejected_images": [2]}, InvalidVerdict, "not both"),
        ],
    )
    async def test_a_verdict_that_does_not_fit_is_told_and_changes_nothing(
        self, service: PreferenceService, verdict: dict[str, object], error: type[Exception], message: str
    ) -> None:
        """The whole verdict is refused; the one before it stays."""
        generation_id = await shown(service, a=2, b=1)
        before = await service.record_feedback(generation_id, {"b": 1})

        with pytest.raises(error, match=message):
            await service.record_feedback(generation_id, **verdict)

        assert await service.generation(generation_id) == before

    async def test_an_unknown_generation_is_an_error(self, service: PreferenceService) -> None:
        """With where ids come from."""
        for unknown in ("0" * 32, "", "x" * 10_000, "nul\x00", "'; DROP TABLE verdicts; --"):
            with pytest.raises(UnknownGeneration, match="is logged"):
                await service.record_feedback(unknown, {"a": 1})

    async def test_what_was_learned_survives_closing(self, database: str) -> None:
        """A restart forgets nothing."""
        service = await PreferenceService.open(database)
        await judge(service, "anime girl", DREAM, rounds=3)
        before, version = await service.statistics(), await service.learned_version()
        await service.close()

        service = await PreferenceService.open(database)
        after, same = await service.statistics(), await service.learned_version()
        await service.close()

        assert (after, same) == (before, version)


async def test_statistics_are_paged_and_filtered(service: PreferenceService) -> None:
    """What the command line and the browser show."""
    await judge(service, "anime girl", DREAM, rounds=2)
    await judge(service, "portrait", EPIC)

    of_anime = await service.statistics(keyword="anime")
    of_dream = await service.statistics(checkpoint=DREAM)
    page = await service.statistics(limit=2, offset=1)

    assert {row.keyword for row in of_anime.pairs} == {"anime"}
    assert {row.checkpoint for row in of_dream.pairs} == {DREAM}
    assert (await service.statistics()).pairs[1:3] == page.pairs
    assert page.pairs_found == len((await service.statistics()).pairs)
    assert (page.overview.generations, page.overview.judged, page.overview.images) == (3, 3, 9)
    assert (page.overview.selected, page.overview.rejected) == (3, 6)
    assert page.overview.first_at is not None


async def test_the_learned_version_changes_with_every_verdict(service: PreferenceService) -> None:
    """A node's cache may rely on it; logging alone has taught nothing."""
    versions = [await service.learned_version()]
    generation_id = await shown(service, a=1)
    assert await service.learned_version() == versions[0]

    for verdict in ({"selected": {"a": 1}}, {"rejected": {"a": 1}}, {}):
        await service.record_feedback(generation_id, **verdict)
        versions.append(await service.learned_version())

    assert len(set(versions)) == 4


async def test_the_database_in_memory_forgets_when_closed(tmp_path: Path) -> None:
    """`:memory:` serves experiments."""
    service = await PreferenceService.open(":memory:")
    await judge(service, "anime", DREAM)
    assert (await service.statistics()).overview.judged == 1
    await service.close()

    service = await PreferenceService.open(":memory:")
    assert (await service.statistics()).overview.judged == 0
    await service.close()


async def test_a_verdict_that_waited_for_its_turn_does_not_replace_a_newer_one(database_file: Path) -> None:
    """Two workers judge one generation; the one that judged first gets its turn last."""
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    moments = [start, start + timedelta(seconds=9)]
    waited = await PreferenceService.open(database_file, clock=lambda: moments.pop(0) if moments else start)
    quick = await PreferenceService.open(database_file, clock=lambda: start + timedelta(seconds=5))
    generation_id = await quick.log_generation(await quick.recommend("a cat", ["a", "b"]), {"a": 1, "b": 1})
    newer = await quick.record_feedback(generation_id, {"b": 1})
    moments[:] = [start, start + timedelta(seconds=9)]
    assert await waited.record_feedback(generation_id, {"a": 1}) == newer
    assert await quick.generation(generation_id) == newer
    await waited.close()
    await quick.close()
