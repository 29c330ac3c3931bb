"""Up to which day a log is forgotten, as told by a clock that may be wrong."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.maintenance.retention import LONGEST_PAUSE, edge_of

NOON = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
YEAR = timedelta(days=365)


def days_before(*numbers: int, now: datetime = NOON) -> list[date]:
    return [(now - timedelta(days=number)).date() for number in numbers]


def beginning(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)


def test_who_uses_it_every_week_forgets_after_a_year_to_the_minute() -> None:
    """As the setting says."""
    assert edge_of(NOON, YEAR, days_before(*range(0, 1000, 7))) == NOON - YEAR


def test_holidays_change_nothing() -> None:
    """A month without a round is nothing to wonder about."""
    assert edge_of(NOON, YEAR, days_before(0, 30, 60, 90, 400)) < NOON - YEAR
    assert edge_of(NOON, YEAR, days_before(*range(0, 400, 30))) == NOON - YEAR


def test_a_jump_of_ten_years_makes_what_was_before_a_month_older() -> None:
    """Of a year that was logged before, and is kept for a year, the oldest month goes at most."""
    ahead = NOON + timedelta(days=3650)
    logged = days_before(*range(0, 400, 5))

    edge = edge_of(ahead, YEAR, [ahead.date(), *logged])

    assert NOON - YEAR <= edge <= NOON - YEAR + LONGEST_PAUSE + timedelta(days=1)


def test_after_a_year_with_the_new_clock_what_was_before_is_too_old_anyway() -> None:
    """Then it is a year older, whatever the clock did."""
    logged = days_before(*range(0, 370, 5)) + days_before(*range(4000, 4300, 5))

    assert edge_of(NOON, YEAR, logged) == NOON - YEAR


def test_days_that_lie_ahead_of_the_clock_say_nothing() -> None:
    """It was wrong then, or is now."""
    ahead = days_before(0, 1, 2, now=NOON + timedelta(days=5000))

    assert edge_of(NOON, YEAR, [*ahead, *days_before(*range(0, 500, 7))]) == NOON - YEAR


@pytest.mark.parametrize("now", [datetime(1, 1, 2, tzinfo=timezone.utc), NOON])
def test_the_ends_of_the_calendar_are_no_error(now: datetime) -> None:
    """An import may lay a day anywhere."""
    logged = [date.min, date(1900, 1, 1), date.max]

    assert edge_of(now, timedelta(days=1), logged) < now


@given(st.lists(st.dates(date(2000, 1, 1), date(2060, 1, 1))), st.integers(1, 36_500))
def test_it_never_forgets_more_than_the_clock_says(logged: list[date], days: int) -> None:
    """It only keeps back."""
    assert edge_of(NOON, timedelta(days=days), logged) <= NOON - timedelta(days=days)


@given(
    st.lists(st.integers(0, 600), min_size=1),
    st.integers(31, 10_000),
    st.integers(1, 700),
)
def test_whatever_the_jump_what_is_before_it_grows_a_month_older_and_no_more(
    ages: list[int], jump: int, days: int
) -> None:
    """So little is lost if the clock is put right."""
    logged, retention = days_before(*ages), timedelta(days=days)
    last = beginning(max(logged)) + timedelta(days=1)
    ahead = last + timedelta(days=jump)

    edge = edge_of(ahead, retention, [*logged, ahead.date()])

    gone = [day for day in logged if beginning(day) < edge]
    assert all(last - beginning(day) > retention - LONGEST_PAUSE - timedelta(days=2) for day in gone)
