"""Which hours are the same hours: of a day, of a week, by the clocks of a place."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.seasons import HOUR, Season, Slot
from bot.core.windows import Window

WEEK, DAY = Season("week"), Season("day")
BERLIN = Season("week", "Europe/Berlin")
MARCH = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
"""In Berlin the hour from 02:00 to 03:00 is missing on Sunday, 29 March."""


def at(text, hours=1.0):
    start = datetime.fromisoformat(text)
    return Window(start, start + hours * HOUR)


def starts(windows):
    return [f"{window.start:%d %H:%M}" for window in windows]


@pytest.mark.parametrize(
    ("season", "window", "words"),
    [
        (WEEK, at("2026-03-01T22:00Z", 4), "Sun 22:00 to Mon 02:00 UTC"),
        (DAY, at("2026-03-01T22:00Z", 4), "22:00 to 02:00 UTC"),
        (WEEK, at("2026-03-04T10:05Z", 1 / 12), "Wed 10:00 to Wed 11:00 UTC"),
        (WEEK, at("2026-03-04T10:55Z", 1 / 6), "Wed 10:00 to Wed 12:00 UTC"),
        (BERLIN, at("2026-03-01T22:00Z", 4), "Sun 23:00 to Mon 03:00 Europe/Berlin"),
        (Season("day", "Asia/Kolkata"), at("2026-03-01T22:00Z"), "03:00 to 05:00 Asia/Kolkata"),
        (BERLIN, at("2026-10-25T01:30Z", 0.5), "Sun 02:00 to Sun 03:00 Europe/Berlin"),
    ],
)
def test_a_window_lies_in_whole_hours_of_its_season(season, window, words):
    assert season.slot(window).words == words


@pytest.mark.parametrize(("season", "hours"), [(DAY, 24), (DAY, 23.5), (WEEK, 168), (WEEK, 500)])
def test_a_window_that_holds_every_hour_is_of_no_season(season, hours):
    assert season.slot(at("2026-03-01T22:05Z", hours)) is None


def test_the_same_hours_come_once_a_week_and_only_whole():
    sundays = Slot(WEEK, 6 * 24 + 20, 8)

    assert starts(sundays.within(MARCH)) == ["01 20:00", "08 20:00", "15 20:00", "22 20:00", "29 20:00"]
    assert starts(sundays.within(Window(MARCH.start + 21 * HOUR, MARCH.end - 60 * HOUR))) == ["08 20:00", "15 20:00", "22 20:00"]


def test_the_same_hours_come_once_a_day():
    assert len(Slot(DAY, 9, 2).within(MARCH)) == 31


def test_the_hours_are_those_of_the_clock_on_the_wall():
    noons = Slot(BERLIN, 6 * 24 + 12, 1).within(MARCH)

    assert starts(noons)[-2:] == ["22 11:00", "29 10:00"]


def test_an_hour_that_does_not_come_is_left_out_and_one_that_comes_twice_is_two_hours_long():
    october = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    two = Slot(BERLIN, 6 * 24 + 2, 1)

    assert starts(two.within(MARCH))[-1] == "22 01:00"
    assert [window.length / HOUR for window in two.within(october)] == [1, 1, 1, 2]


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the zone comes from beside


@given(st.sampled_from(["day", "week"]), zones, moments, st.timedeltas(timedelta(minutes=1), timedelta(hours=20)))
def test_the_hours_of_a_window_are_found_where_the_window_is(name, zone, start, length):
    window = Window(start, start + length)
    slot = Season(name, zone).slot(window)
    around = slot.within(Window(start - timedelta(days=9), start + timedelta(days=9)))
    spare = timedelta(hours=1)  # clocks may be changed inside the window

    assert any(part.start <= window.start + spare and window.end <= part.end + spare for part in around)


@given(st.sampled_from(["day", "week"]), zones, moments)
def test_the_hours_of_a_round_hold_every_moment_once(name, zone, start):
    season, stretch = Season(name, zone), Window(start, start + timedelta(days=21))
    rounds = 24 if name == "day" else 168
    parts = sorted(part for first in range(rounds) for part in Slot(season, first, 1).within(stretch))

    assert all(one.end == other.start for one, other in pairwise(parts))
    assert parts[0].start - stretch.start < 2 * HOUR
    assert stretch.end - parts[-1].end < 2 * HOUR
