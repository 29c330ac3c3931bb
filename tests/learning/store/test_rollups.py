"""The rollups are those of the log, whatever was judged, judged again, forgotten or joined."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import StoreUnavailable
from context_checkpoint.learning.reports import Overview, PairOrder
from context_checkpoint.learning.store import overview, pair_pages, rollups

NAMES = [f"checkpoint_{number}" for number in range(5)]
WORDS = ["castle", "forest", "portrait", "harbour", "night", "snow"]


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rounds are many blocks."""
    monkeypatch.setattr(rollups, "BLOCK", 4)
    monkeypatch.setattr(rollups, "FEWEST", 1)
    monkeypatch.setattr(rollups, "_BLOCKS_AT_ONCE", 2)
    monkeypatch.setattr(rollups, "_VERDICTS_AT_ONCE", 3)
    monkeypatch.setattr(overview, "_FEWEST_BLOCKS", 1)


async def lived(service: PreferenceService, chance: random.Random, rounds: int) -> list[str]:
    """Rounds of one to three images, most of them judged, some of them twice."""
    generation_ids = []
    for _ in range(rounds):
        shown = chance.sample(NAMES, chance.randint(1, 3))
        plan = await service.recommend(", ".join(chance.sample(WORDS, 2)), shown, seed=1)
        plan = replace(plan, confidence=chance.randint(0, 4) / 4, strategy="exploit")
        generation_ids.append(await service.log_generation(plan, dict.fromkeys(shown, 1)))
        if chance.random() < 0.7:
            await judge(service, chance, chance.choice(generation_ids))
    return generation_ids


async def judge(service: PreferenceService, chance: random.Random, generation_id: str) -> None:
    images = len((await service.generation(generation_id)).images)
    marks = [chance.choice("+-.") for _ in range(images)]
    await service.record_feedback(
        generation_id,
        selected_images=[place for place, mark in enumerate(marks) if mark == "+"],
        rejected_images=[place for place, mark in enumerate(marks) if mark == "-"],
    )


async def assert_sums_are_those_of_the_log(service: PreferenceService) -> None:
    exact = await service._database.read(lambda connection: overview.overview(connection, exact=True))
    shown = await service._database.read(lambda connection: overview.images_shown(connection, exact=True))
    _, pairs = await service._database.read(
        lambda connection: pair_pages.pair_rows(connection, pair_pages.Page(), exact=True)
    )
    rolled_up = await service.overview()

    assert rounded(rolled_up) == rounded(exact)
    assert await service.images_shown() == shown
    assert (await service.pairs())[1] == pairs == rolled_up.pairs
    assert (await service.pairs(search="a"))[1] <= pairs
    points = await service.series(3)
    assert sum(point.generations for point in points) == rolled_up.generations
    assert sum(point.images for point in points) == rolled_up.images
    assert sum(point.judged for point in points) == rolled_up.judged


def rounded(rolled_up: Overview) -> Overview:
    """Means of the same numbers, added up in another order."""
    average = rolled_up.average_confidence
    return replace(rolled_up, average_confidence=None if average is None else round(average, 9))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_they_are_after_any_history(service: PreferenceService, seed: int) -> None:
    """Looked at between verdicts, changed verdicts and forgetting, the newest generation too."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    generation_ids = await lived(service, chance, 23)
    await assert_sums_are_those_of_the_log(service)
    for generation_id in chance.sample(generation_ids, 6):
        await judge(service, chance, generation_id)
    await assert_sums_are_those_of_the_log(service)
    for generation_id in (generation_ids[-1], generation_ids[-2], *chance.sample(generation_ids[:-2], 3)):
        await service.forget_generation(generation_id)
        await assert_sums_are_those_of_the_log(service)
    await lived(service, chance, 5)
    await assert_sums_are_those_of_the_log(service)
    await service.forget_keyword("castle")
    await assert_sums_are_those_of_the_log(service)
    await service.join_checkpoints(NAMES[0], NAMES[1])
    await assert_sums_are_those_of_the_log(service)
    await service.rebuild()
    await assert_sums_are_those_of_the_log(service)
    await service.forget_everything()
    await lived(service, chance, 9)
    await assert_sums_are_those_of_the_log(service)


async def test_they_come_out_of_an_import_too(service: PreferenceService) -> None:
    """What is imported is new to them like what is taught."""
    chance = random.Random(5)  # noqa: S311 - no secret
    await lived(service, chance, 12)
    lines = [line async for line in service.export()]
    await service.forget_everything()
    await assert_sums_are_those_of_the_log(service)
    await service.import_lines(lines)
    await assert_sums_are_those_of_the_log(service)


async def test_where_they_cannot_be_written_the_log_is_read(
    sqlite_service: PreferenceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a frozen folder shows the same numbers, only slower."""
    chance = random.Random(6)  # noqa: S311 - no secret
    await lived(sqlite_service, chance, 12)

    async def refused(*_work: object) -> object:
        raise StoreUnavailable("store_full", "The disk is full.")

    monkeypatch.setattr(sqlite_service._database, "write_derived", refused)
    await assert_sums_are_those_of_the_log(sqlite_service)


class TestManyPairs:
    @pytest.fixture(autouse=True)
    def _few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pair_pages, "FEW", 3)
        monkeypatch.setattr(pair_pages, "MOST_SORTED", 8)

    @pytest.mark.parametrize("sort", ["total", "keyword"])
    @pytest.mark.parametrize("descending", [True, False])
    async def test_turning_over_shows_each_row_once(
        self, service: PreferenceService, sort: PairOrder, descending: bool
    ) -> None:
        """Most or least evidence first, or by the keyword."""
        await lived(service, random.Random(7), 40)  # noqa: S311 - no secret
        pages = [
            (await service.pairs(sort=sort, descending=descending, limit=7, offset=offset))[0]
            for offset in range(0, 63, 7)
        ]
        rows = [row for page in pages for row in page]
        keys = [getattr(row, sort) for row in rows]

        assert keys == sorted(keys, reverse=descending)
        assert len({(row.keyword, row.checkpoint) for row in rows}) == len(rows)
        assert len(rows) == (await service.overview()).pairs

    async def test_other_orders_are_orders_among_those_with_most_evidence(self, service: PreferenceService) -> None:
        """By rate a row seen once would come first; it is shown how many there are."""
        await lived(service, random.Random(8), 40)  # noqa: S311 - no secret
        most = (await service.pairs(limit=8))[0]
        rows, count = await service.pairs(sort="rate", limit=50)

        assert count == len(rows) == 8
        assert sorted(row.total for row in rows) == sorted(row.total for row in most)
        rates = [row.selected / row.total for row in rows]
        assert rates == sorted(rates, reverse=True)

    @pytest.mark.parametrize("conditions", [{"search": "or"}, {"checkpoint": NAMES[1]}, {"search": "point_1"}])
    async def test_narrowed_down_it_is_the_same_page_as_of_few(
        self, service: PreferenceService, conditions: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The way to a row does not change which rows there are."""
        await lived(service, random.Random(9), 40)  # noqa: S311 - no secret
        many = await service.pairs(**conditions, limit=100)  # type: ignore[arg-type]
        monkeypatch.setattr(pair_pages, "FEW", 20_000)
        few = await service.pairs(**conditions, limit=100)  # type: ignore[arg-type]

        assert sorted(many[0], key=str) == sorted(few[0], key=str)
        assert many[1] == few[1] == len(few[0])

    async def test_a_search_that_much_fits_shows_those_with_most_evidence(
        self, service: PreferenceService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keywords and checkpoints have it: no index has both, so it is not counted beyond what is sorted."""
        await lived(service, random.Random(10), 40)  # noqa: S311 - no secret
        page, turned = await service.pairs(search="o", limit=8)
        rated, sorted_ = await service.pairs(search="o", sort="rate", limit=50)
        every = (await service.pairs(limit=500))[0]
        monkeypatch.setattr(pair_pages, "FEW", 20_000)
        whole, count = await service.pairs(search="o", limit=500)

        assert turned == sorted_ == len(rated) == 8
        assert count == len(whole) == len(every)
        assert [row.total for row in page] == [row.total for row in whole[:8]]
        assert sorted(row.total for row in rated) == sorted(row.total for row in page)
