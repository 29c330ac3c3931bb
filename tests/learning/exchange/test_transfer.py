"""Export and import: what was taught leaves one database, enters another, and teaches the same there."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import LearningError, StoreUnavailable
from context_checkpoint.learning.exchange.line_format import LONGEST_LINE, lines_in
from context_checkpoint.learning.values import ImageFile
from tests.learning.store.test_statistics import NAMES, WORDS, everything, random_history

Opened = Callable[..., Any]
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    """Opens databases by name, with a clock where one is given."""
    services: list[PreferenceService] = []

    async def open_one(name: str, **how: Any) -> PreferenceService:
        services.append(await PreferenceService.open(tmp_path / name, **how))
        return services[-1]

    yield open_one
    for service in services:
        await service.close()


async def exported(service: PreferenceService, *, anonymous: bool = False) -> list[str]:
    return [line async for line in service.export(anonymous=anonymous)]


async def learned(service: PreferenceService) -> dict[tuple[str, ...], tuple[float, ...]]:
    """All sums by their texts: ids differ from database to database."""
    statistics = await service.statistics(limit=100_000)
    sums: dict[tuple[str, ...], tuple[float, ...]] = {
        (row.keyword, row.checkpoint): (row.selected, row.total, row.rounds) for row in statistics.pairs
    }
    sums |= {("", row.checkpoint): (row.selected, row.total, row.rounds) for row in statistics.checkpoints}
    return sums


async def one_judged(service: PreferenceService, winner: str = NAMES[0]) -> str:
    recommendation = await service.recommend("anime girl", NAMES, stage="draft", seed=1)
    files = [ImageFile(name, f"{name}.png", "mine", "output") for name in recommendation.checkpoints]
    generation_id = await service.log_generation(recommendation, files, session_id="tab", prompt_id="queued")
    shown = recommendation.checkpoints
    keep = shown.index(winner) if winner in shown else 0
    await service.record_feedback(generation_id, selected_images=[keep])
    return generation_id


async def test_an_export_of_which_some_is_forgotten_meanwhile_is_an_error(opened: Opened) -> None:
    """Its header promised more: it would be refused when it is needed."""
    here = await opened("here.db")
    ids = [await one_judged(here) for _ in range(3)]
    lines = here.export()
    assert '"generations":3' in await anext(lines)
    await here.forget_generation(ids[1])

    with pytest.raises(StoreUnavailable, match="Export again") as raised:
        [line async for line in lines]

    assert raised.value.code == "log_changed"
    assert len(await exported(here)) == 3


class TestFormerVersions:
    async def test_a_prior_of_an_earlier_version_is_computed_again(self, opened: Opened) -> None:
        """Such an export is not refused: it teaches what it would have taught here."""
        before, after = await opened("before.db"), await opened("after.db")
        for _ in range(4):
            await one_judged(before)

        await after.import_lines([_of_the_first_version(line) for line in await exported(before)])

        question = ("anime girl", NAMES)
        expected, actual = [await each.recommend(*question, seed=1) for each in (before, after)]
        assert (actual.scores, actual.confidence) == (expected.scores, expected.confidence)


def _of_the_first_version(line: str) -> str:
    fields = json.loads(line)
    if "basis" in fields:
        known = base64.b64decode(fields["basis"])
        fields["basis"] = base64.b64encode(b"\x01" + known[1:]).decode()
    return json.dumps(fields)


class TestRoundTrip:
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seed=st.integers(0, 2**32), rounds=st.integers(0, 12), words=st.lists(st.sampled_from(WORDS)))
    def test_what_is_wiped_and_imported_recommends_the_same_bit_for_bit(
        self, tmp_path_factory: pytest.TempPathFactory, seed: int, rounds: int, words: list[str]
    ) -> None:
        """Whatever was judged, withdrawn and judged again; scores and confidence to the last bit."""
        folder = tmp_path_factory.mktemp("exchange")

        async def play() -> None:
            before = await PreferenceService.open(folder / "before.db")
            after = await PreferenceService.open(folder / "after.db")
            await random_history(before, rounds, seed)
            lines = await exported(before)

            await after.import_lines(lines)

            for policy in ("bayesian", "counts", "global"):
                question = (", ".join(words), NAMES, "final", True, policy, 3, seed)
                assert await after.recommend(*question) == await before.recommend(*question)
            assert (await exported(after))[1:] == lines[1:]
            assert (await after.rebuild()).corrected == 0
            await before.close()
            await after.close()

        asyncio.run(play())

    async def test_it_works_on_every_kind_of_database(self, service: PreferenceService, opened: Opened) -> None:
        """From PostgreSQL into a file and back, as from file to file."""
        await random_history(service, 20, seed=5)
        there = await opened("there.db")
        await there.import_lines(await exported(service))

        report = await service.import_lines(await exported(there))

        assert (report.generations, report.added, report.verdicts_replaced) == (20, 0, 0)
        assert await learned(there) == await learned(service)
        assert (await service.rebuild()).corrected == 0

    async def test_everything_that_was_logged_arrives(self, opened: Opened) -> None:
        """Not only what is learned from: prompt, files, session, moments."""
        here, there = await opened("here.db"), await opened("there.db")
        generation_id = await one_judged(here)

        await there.import_lines(await exported(here))

        assert await there.generation(generation_id) == await here.generation(generation_id)

    async def test_the_log_is_never_held_whole(self, opened: Opened) -> None:
        """The first lines are there while the rest has not been read."""
        here = await opened("here.db")
        await random_history(here, 120, seed=3)

        lines = here.export()
        first = [await anext(lines) for _ in range(3)]
        await random_history(here, 1, seed=4)
        rest = [line async for line in lines]

        assert json.loads(first[0])["generations"] == len(first) + len(rest) - 1 == 120


class TestMerging:
    async def test_the_same_file_twice_changes_nothing(self, opened: Opened) -> None:
        """Generations are known by their ids."""
        here, there = await opened("here.db"), await opened("there.db")
        await random_history(here, 20, seed=1)
        lines = await exported(here)
        await there.import_lines(lines)
        before = await everything(there)

        report = await there.import_lines(lines)

        assert (report.generations, report.added, report.verdicts_replaced) == (20, 0, 0)
        assert await everything(there) == before

    async def test_two_peoples_files_add_up_in_any_order(self, opened: Opened) -> None:
        """The sums of both, to the bit."""
        one, two = await opened("one.db"), await opened("two.db")
        await random_history(one, 15, seed=1)
        await random_history(two, 15, seed=2)
        first, second = await exported(one), await exported(two)
        ways = [await opened("first.db"), await opened("second.db")]
        for way, files in zip(ways, [(first, second), (second, first)], strict=True):
            for lines in files:
                await way.import_lines(lines)

        apart = await learned(one), await learned(two)
        both = {
            pair: tuple(sum(numbers) for numbers in zip(*(sums.get(pair, (0.0,) * 3) for sums in apart), strict=True))
            for pair in apart[0].keys() | apart[1].keys()
        }
        assert await learned(ways[0]) == await learned(ways[1]) == both

    @pytest.mark.parametrize("later", ["here", "there"])
    async def test_the_newer_verdict_counts_wherever_it_came_from(self, opened: Opened, later: str) -> None:
        """A person judged one generation on two machines; files go both ways."""
        clocks = {"here": NOON, "there": NOON}
        services = {name: await opened(f"{name}.db", clock=lambda name=name: clocks[name]) for name in clocks}
        generation_id = await one_judged(services["here"])
        await services["there"].import_lines(await exported(services["here"]))
        clocks["here"] += timedelta(hours=1)
        clocks["there"] += timedelta(hours=1)
        clocks[later] += timedelta(minutes=1)
        for name, image in (("here", 1), ("there", 2)):
            await services[name].record_feedback(generation_id, selected_images=[image])

        lines = {name: await exported(service) for name, service in services.items()}
        await services["here"].import_lines(lines["there"])
        await services["there"].import_lines(lines["here"])

        wanted = {"here": 1, "there": 2}[later]
        for service in services.values():
            images = (await service.generation(generation_id)).images
            assert [image.position for image in images if image.verdict == "selected"] == [wanted]
            assert (await service.rebuild()).corrected == 0

    async def test_a_verdict_that_was_withdrawn_later_is_withdrawn_there_too(self, opened: Opened) -> None:
        """A withdrawal is a verdict like any other."""
        here, there = await opened("here.db"), await opened("there.db")
        generation_id = await one_judged(here)
        await there.import_lines(await exported(here))
        await here.record_feedback(generation_id)

        report = await there.import_lines(await exported(here))

        assert report.verdicts_replaced == 1
        assert (await there.generation(generation_id)).judged_at is None
        assert await learned(there) == {}

    async def test_checkpoints_that_have_other_names_here_are_mapped(self, opened: Opened) -> None:
        """In either spelling of folders; two names may become one."""
        here, there = await opened("here.db"), await opened("there.db")
        await random_history(here, 10, seed=1)
        await there.import_lines(await exported(here), {NAMES[0]: "sub\\a.safetensors", NAMES[1]: "sub/a.safetensors"})

        names = {name for _, name in await learned(there)}
        assert "sub/a.safetensors" in names
        assert not {NAMES[0], NAMES[1]} & names
        assert (await there.rebuild()).corrected == 0


class TestAnonymous:
    async def test_it_tells_neither_prompts_nor_names_nor_sessions(self, opened: Opened) -> None:
        """Only keywords, in the order of the alphabet, checkpoints and verdicts."""
        here = await opened("here.db")
        await one_judged(here)
        [header, line] = await exported(here, anonymous=True)

        assert json.loads(header)["anonymous"] is True
        assert json.loads(header)["database"] == ""
        fields = json.loads(line)
        assert not {"prompt", "session_id", "prompt_id", "seed"} & set(fields)
        assert {key for image in fields["images"] for key in image} == {"checkpoint"}
        words = [keyword["text"] for keyword in fields["keywords"]]
        assert words == sorted(words)
        assert not any(secret in line for secret in ("mine", "tab", "queued", ".png"))

    async def test_it_teaches_the_same(self, opened: Opened) -> None:
        """What is left out is nothing that is learned from."""
        here, there = await opened("here.db"), await opened("there.db")
        await random_history(here, 20, seed=7)

        await there.import_lines(await exported(here, anonymous=True))

        assert await learned(there) == await learned(here)
        question = ("anime girl, portrait", NAMES, "final", True, None, 3, 5)
        assert (await there.recommend(*question)).scores == (await here.recommend(*question)).scores


def changed(line: str, **fields: Any) -> str:
    return json.dumps(json.loads(line) | fields) + "\n"


BAD: dict[str, tuple[Callable[[list[str]], list[Any]], str]] = {
    "empty": (lambda lines: [], "Line 1: the file is empty"),
    "no JSON": (lambda lines: ["hello\n"], "Line 1: Invalid JSON"),
    "another format": (lambda lines: ['{"format": "other", "version": 1}\n'], "Line 1: format"),
    "a later version": (lambda lines: [changed(lines[0], version=2), *lines[1:]], "version 2.*Update"),
    "cut off": (lambda lines: lines[:-1], "ends here, after 2 of 3"),
    "cut inside a line": (lambda lines: [*lines[:-1], lines[-1][:40]], "Line 4: "),
    "a line too many": (lambda lines: [*lines, lines[-1]], "Line 5: .*after 4 of 3"),
    "two files in one": (lambda lines: [*lines, *lines], "Line 5: "),
    "unknown field": (lambda lines: [*lines[:3], changed(lines[3], colour=1)], "Line 4: colour"),
    "no uuid": (lambda lines: [*lines[:3], changed(lines[3], id="1; DROP TABLE")], "Line 4: id"),
    "marks do not fit": (
        lambda lines: [*lines[:3], changed(lines[3], verdict={"marks": "+", "at": NOON.isoformat()})],
        "Line 4: 1 marks for 3",
    ),
    "no zone": (
        lambda lines: [*lines[:3], changed(lines[3], created_at="2026-01-31T12:00:00")],
        "Line 4: created_at",
    ),
    "outside of time": (
        lambda lines: [*lines[:3], changed(lines[3], created_at="9999-12-31T23:59:59-10:00")],
        "Line 4: created_at: lies outside",
    ),
    "infinite": (
        lambda lines: [*lines[:3], changed(lines[3], utilities={"a": float("inf")})],
        "Line 4: utilities",
    ),
    "a huge weight": (
        lambda lines: [*lines[:3], changed(lines[3], keywords=[{"text": "a", "weight": 1e300}])],
        "Line 4: keywords.0.weight",
    ),
    "the general keyword": (
        lambda lines: [*lines[:3], changed(lines[3], keywords=[{"text": ""}])],
        "Line 4: keywords.0.text",
    ),
    "not text": (lambda lines: [*lines[:3], b'{"id": "\xff\xfe"}\n'], "Line 4: "),
    "nested deeply": (lambda lines: [*lines[:3], "[" * 100_000], "Line 4: "),
    "a line without end": (lambda lines: [*lines[:3], b" " * (LONGEST_LINE + 1)], "Line 4: .*longer than"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_line_is_told_by_its_number_and_nothing_is_imported(opened: Opened, case: str) -> None:
    """Also where the lines before it are good."""
    here, there = await opened("here.db"), await opened("there.db")
    for _ in range(3):
        await one_judged(here)
    spoil, message = BAD[case]
    lines = spoil(await exported(here))

    with pytest.raises(LearningError, match=message) as raised:
        await there.import_lines(lines)

    assert raised.value.code == "bad_line"
    assert "Nothing of the file was imported" in raised.value.message
    assert await there.generations() == []


async def test_a_verdict_of_the_last_moment_that_there_is_can_be_replaced(opened: Opened) -> None:
    """No moment is later than the end of the calendar, where a hostile file may lay it."""
    here, there = await opened("here.db"), await opened("there.db")
    generation_id = await one_judged(here)
    lines = await exported(here)
    end = {"marks": "+--", "at": "9999-12-31T23:59:59.999999Z"}
    await there.import_lines([lines[0], changed(lines[1], created_at=end["at"], verdict=end)])

    await there.record_feedback(generation_id, selected_images=[1])
    await there.record_feedback(generation_id, selected_images=[2])

    [known] = await there.generations()
    assert [image.verdict for image in known.images] == [None, None, "selected"]
    assert (await there.rebuild()).corrected == 0
    assert len(await exported(there)) == 2


async def test_a_generation_with_other_images_than_are_known_is_a_bad_line(opened: Opened) -> None:
    """Its verdict would judge other pictures."""
    here, there = await opened("here.db"), await opened("there.db")
    await one_judged(here)
    lines = await exported(here)
    await there.import_lines(lines)
    fields = json.loads(lines[1])
    fewer = changed(lines[1], images=fields["images"][:1], verdict={"marks": "+", "at": "2030-01-01T00:00:00Z"})

    with pytest.raises(LearningError, match=r"Line 2: generation .* is known here with 3 images, not 1"):
        await there.import_lines([lines[0], fewer])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.text(max_size=60), max_size=4))
def test_no_line_whatever_does_more_than_be_refused(lines: list[bytes | str]) -> None:
    """Any bytes: an error that is meant for people, and no other."""

    async def play() -> None:
        service = await PreferenceService.open(":memory:")
        with pytest.raises(LearningError, match="Line 1"):
            await service.import_lines(lines)
        await service.close()

    asyncio.run(play())


@given(st.binary(max_size=200))
def test_a_file_is_read_by_its_lines(content: bytes) -> None:
    """Whatever is in them."""
    assert b"".join(lines_in(io.BytesIO(content))) == content
    assert [line.rstrip(b"\n") for line in lines_in(io.BytesIO(content))] == content.split(b"\n")[
        : content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    ]


def test_of_a_line_without_end_only_as_much_is_read_as_shows_it() -> None:
    """It could be as large as the disk."""
    file = io.BytesIO(bytes(2 * LONGEST_LINE))

    assert len(next(lines_in(file))) == LONGEST_LINE + 1


async def test_others_recommend_and_judge_while_a_long_file_comes_in(opened: Opened) -> None:
    """An import takes its turns with everybody else's writes."""
    here, there = await opened("here.db"), await opened("there.db")
    await random_history(here, 300, seed=1)
    lines = await exported(here)

    importing = asyncio.create_task(there.import_lines(lines))
    judged = 0
    while not importing.done():
        await one_judged(there)
        judged += 1

    assert (await importing).added == 300
    assert judged > 3
    assert (await there.statistics()).overview.generations == 300 + judged
    assert (await there.rebuild()).corrected == 0
