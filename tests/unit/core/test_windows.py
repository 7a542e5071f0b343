"""Windows are half-open and in UTC; a time without a zone is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.core.windows import Window, utc

NOON = datetime(2013, 7, 1, 12, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))


def test_a_time_elsewhere_is_the_same_instant_in_utc():
    assert utc(datetime(2013, 7, 1, 21, tzinfo=TOKYO)).isoformat() == "2013-07-01T12:00:00+00:00"


def test_a_time_without_a_zone_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"2013-07-01T12:00:00 has no time zone; write it with one, e\.g\. 2013-07-01T12:00:00Z"):
        utc(datetime(2013, 7, 1, 12))  # noqa: DTZ001  # the very thing that is refused


def test_a_window_is_kept_in_utc():
    window = Window(datetime(2013, 7, 1, 9, tzinfo=TOKYO), datetime(2013, 7, 1, 21, tzinfo=TOKYO))

    assert str(window) == "2013-07-01 00:00 to 2013-07-01 12:00 UTC"


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1)])
def test_a_window_must_start_before_it_ends(length):
    with pytest.raises(ValueError, match="A window must start before it ends: 2013-07-01T12:00:00"):
        Window(NOON, NOON + length)


def test_a_window_ending_at_a_moment_has_the_length_asked_for():
    window = Window.ending(NOON, timedelta(days=2))

    assert (window.end, window.length) == (NOON, timedelta(days=2))
