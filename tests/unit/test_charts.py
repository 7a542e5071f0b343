"""Charts: every input becomes a picture of the promised size, with words that say the same."""

import math
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.charts import KINDS, Point, _unbroken, draw

START = datetime(2013, 8, 1, tzinfo=UTC)


def points(*values):
    return [
        {"at": (START + timedelta(days=n)).isoformat(), "value": value, "low": value - 0.01, "high": value + 0.01}
        for n, value in enumerate(values)
    ]


def pixels(png):
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


def test_a_timeline_says_in_words_what_it_shows():
    window = [START.isoformat(), (START + timedelta(days=1)).isoformat()]
    chart = {
        "kind": "timeline",
        "title": "Brier skill",
        "points": points(0.14, 0.05),
        "reference": 0.14,
        "threshold": 0.09,
        "window": window,
    }
    drawn = draw(chart)

    assert (
        drawn.alt
        == "Chart: Brier skill. Last window 0.05 [0.04, 0.06], reference 0.14, line 0.09; 2 windows, 2013-08-01 to 2013-08-02."
    )
    assert pixels(drawn.png) == (1440, 864)


def test_a_distribution_says_what_moved_most():
    drawn = draw({"kind": "distribution", "title": "temp", "bins": ["cold", "hot"], "reference": [0.8, 0.2], "current": [0.3, 0.7]})

    assert "Moved most: cold, 80.0% before, 30.0% now" in drawn.alt
    assert pixels(drawn.png) == (1440, 864)


def test_other_data_is_another_picture():
    one, other = (draw({"kind": "timeline", "title": "t", "points": points(*values)}) for values in ([0.1, 0.2], [0.2, 0.1]))

    assert one.png != other.png


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_show_is_said(kind):
    assert "yet" in draw({"kind": kind, "title": "t"}).alt


@pytest.mark.parametrize("title", [r"$\frac{", "$x$ 100%", "a" * 500, "\x00\x1b[31m", "日本 <!channel>", "{0} {{"])
def test_no_title_is_read_as_anything_but_text(title):
    assert pixels(draw({"kind": "timeline", "title": title, "points": points(0.1)}).png)[0] == 1440


def test_a_version_is_marked_where_it_began_to_serve():
    chart = {"kind": "timeline", "title": "t", "points": points(0.1, 0.2, 0.3)}
    marked = chart | {"versions": [{"at": (START + timedelta(days=1)).isoformat(), "version": r"v3 $\alpha"}]}

    assert draw(marked).png != draw(chart).png


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="no chart of kind 'pie'"):
        draw({"kind": "pie"})


ANYTHING = st.one_of(st.none(), st.text(max_size=8), st.floats(), st.integers(-(10**400), 10**400), st.booleans())
POINT = st.fixed_dictionaries(
    {"at": st.one_of(st.datetimes().map(lambda d: d.isoformat()), st.text(max_size=5)), "value": ANYTHING, "low": ANYTHING}
)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "0106-01-01T00:00:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_no_clock_in_order_would_tell_is_left_out(at):
    drawn = draw({"kind": "timeline", "title": "t", "points": [*points(0.25), {"at": at, "value": 0.75}]})

    assert drawn.alt == draw({"kind": "timeline", "title": "t", "points": points(0.25)}).alt


@given(st.lists(POINT, max_size=4), ANYTHING, ANYTHING)
@settings(max_examples=12)
def test_no_number_stops_a_chart(raw, threshold, reference):
    drawn = draw({"kind": "timeline", "title": "t", "points": raw, "threshold": threshold, "reference": reference})

    assert pixels(drawn.png) == (1440, 864)


@given(st.lists(ANYTHING, max_size=5), st.lists(ANYTHING, max_size=5))
@settings(max_examples=8)
def test_no_share_stops_a_chart(reference, current):
    drawn = draw(
        {"kind": "distribution", "title": "t", "bins": ["$a", "b\n", math.nan], "reference": reference, "current": current}
    )

    assert pixels(drawn.png) == (1440, 864)


def test_no_line_is_drawn_across_weeks_without_a_measurement():
    days = [datetime(2026, 7, day, tzinfo=UTC) for day in (1, 2, 3)] + [datetime(2026, 8, day, tzinfo=UTC) for day in (28, 29)]
    parts = _unbroken([Point(day, 0.1, 0.0, 0.2) for day in days])

    assert [len(part) for part in parts] == [3, 2]
