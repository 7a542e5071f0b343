"""Stretches put together: as if they had been read as one."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.merging import gathered, merged
from bot.core.profiles import CategoryProfile
from bot.core.readings import Operations, Outcomes, Reading
from bot.core.windows import Window
from bot.stats.profiles import profile_numbers
from tests.fakes.readings import joint

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 3, 1, tzinfo=UTC)
LIKE = profile_numbers(np.arange(10.0))


def day(number, rows=2):
    window = Window(START + number * DAY, START + (number + 1) * DAY)
    at = np.array([int(window.start.timestamp()) + 60] * rows)
    outcomes = Outcomes(np.full(rows, 0.5), np.ones(rows, bool), np.full(rows, "v1"), at, awaited=1)
    columns = {"x": profile_numbers(np.full(rows, float(number)), like=LIKE), "c": CategoryProfile(rows, 0, {"a": rows})}
    serving = Operations(rows, 1, np.full(rows, 20.0))
    return Reading(window, rows, columns, {"x": "numeric"}, outcomes, serving, window.end - timedelta(hours=1))


def test_a_day_that_comes_twice_is_two_days():
    both = merged([day(3), day(3)], END)

    assert both.window == Window(END - 2 * DAY, END)
    assert (both.rows, both.columns["x"].rows, both.columns["c"].counts) == (4, 4, {"a": 4})
    assert [datetime.fromtimestamp(int(at), UTC).day for at in both.outcomes.at] == [27, 27, 28, 28]
    assert (both.outcomes.awaited, both.operations.requests, both.operations.errors) == (2, 4, 2)
    assert both.newest == END - timedelta(hours=1)


def test_one_stretch_is_itself_at_its_new_place():
    assert merged([day(3)], END).columns["x"].mean == 3.0


@pytest.mark.parametrize(
    "other",
    [{}, {"x": CategoryProfile(2, 0, {"a": 2}), "c": LIKE}],
    ids=["lost", "of another kind"],
)
def test_a_column_that_is_not_the_same_everywhere_is_left_out(other):
    assert merged([day(1), replace(day(2), columns=other)], END).columns == {}


def test_what_no_stretch_has_the_whole_has_not():
    bare = replace(day(1), outcomes=None, operations=None, newest=None)
    both = merged([bare, bare], END)

    assert (both.outcomes, both.operations, both.newest) == (None, None, None)


# hours of a reference, put together


WHOLE = Reading(
    Window(START, START + 10 * DAY),
    20,
    {
        "x": replace(LIKE, changes=3, followed=9),
        "c": CategoryProfile(20, 0, {"a": 15, "b": 5}, changes=4, followed=19),
        "lost": LIKE,
    },
    {"x": "numeric", "c": "categorical"},
    task="regression",
)


def test_hours_are_as_long_and_hold_as_much_as_their_stretches():
    both = gathered(WHOLE, [day(1), day(8, rows=3)])

    assert both.window == Window.ending(WHOLE.window.end, 2 * DAY)
    assert (both.rows, both.columns["x"].rows, both.columns["c"].counts) == (5, 5, {"a": 5})
    assert (both.columns["x"].low, both.columns["x"].high, both.columns["x"].mean) == (1, 8, pytest.approx(26 / 5))
    assert both.outcomes.at.tolist() == [*day(1).outcomes.at, *day(8, rows=3).outcomes.at]
    assert (both.newest, both.kinds, both.task) == (day(8).newest, WHOLE.kinds, "regression")


def test_how_quickly_a_column_changes_only_the_whole_knows():
    both = gathered(WHOLE, [day(1), day(2)])

    assert [(c.changes, c.followed) for c in (both.columns["x"], both.columns["c"])] == [(3, 9), (4, 19)]


@pytest.mark.parametrize("columns", [{}, {"x": CategoryProfile(2, 0, {"a": 2}), "c": LIKE}], ids=["lost", "of another kind"])
def test_a_column_gets_nothing_from_a_stretch_that_lacks_it(columns):
    found = gathered(WHOLE, [replace(day(1), columns=columns), day(2)]).columns

    assert (found["x"].rows, found["c"].rows, found["lost"].rows) == (2, 2, 0)


def test_of_no_stretch_there_are_no_rows():
    nothing = gathered(replace(WHOLE, slices={"c=a": WHOLE}), [])

    assert (nothing.rows, nothing.window, nothing.duplicates, nothing.outcomes, nothing.joint) == (
        0,
        WHOLE.window,
        None,
        None,
        None,
    )
    assert all(np.array_equal(nothing.columns[name].cuts, LIKE.cuts) for name in ("x", "lost"))
    assert [column.rows for reading in (nothing, nothing.slices["c=a"]) for column in reading.columns.values()] == [0] * 6


def test_an_empty_profile_added_to_changes_nothing():
    some = profile_numbers(np.array([1.0, 5.0, 7.0, np.nan, np.inf]), like=LIKE)
    both = LIKE.emptied().merged(some)

    assert all(
        np.array_equal(getattr(both, f.name), getattr(some, f.name)) for f in fields(some) if f.name not in ("changes", "followed")
    )


def test_repeated_requests_are_counted_only_where_every_stretch_counted_them():
    counted = [replace(day(1), duplicates=1), replace(day(2), duplicates=2)]

    assert gathered(WHOLE, counted).duplicates == 3
    assert gathered(WHOLE, [*counted, day(3)]).duplicates is None


def test_versions_and_whole_rows_are_those_of_all_stretches():
    rows = joint({"x": np.arange(3.0)})
    parts = [replace(day(n), versions={"v1": n}, joint=rows) for n in (1, 2)]
    other = replace(day(3), joint=joint({"y": np.arange(3.0)}))
    both = gathered(WHOLE, [*parts, other, day(4)])

    assert (both.versions, both.joint.of, both.joint.names) == ({"v1": 3}, 6, ("x",))


def test_a_slice_is_put_together_from_the_stretches_that_have_it():
    parts = [replace(day(1), slices={"c=a": day(1)}), day(2)]
    found = gathered(replace(WHOLE, slices={"c=a": WHOLE}), parts).slices["c=a"]

    assert (found.rows, found.window.length) == (2, 2 * DAY)


def test_true_values_and_decided_classes_are_kept_where_all_stretches_tell_them():
    full = replace(day(1).outcomes, values=np.array([1.0, 2.0]), chosen=np.array([True, False]))
    with_all, without = (
        gathered(WHOLE, [replace(day(1), outcomes=full), replace(day(2), outcomes=other)]).outcomes
        for other in (full, day(2).outcomes)
    )

    assert (with_all.values.tolist(), with_all.chosen.tolist()) == ([1, 2, 1, 2], [True, False, True, False])
    assert (len(without), len(without.values), len(without.chosen)) == (4, 0, 0)


def test_a_window_put_together_has_the_task_of_its_parts():
    assert merged([replace(day(1), task="regression")], END).task == "regression"


def test_a_group_of_a_day_that_comes_twice_is_two_groups_and_one_of_two_neighbours_is_one():
    three, four = (replace(day(n), outcomes=replace(day(n).outcomes, groups=np.array([7, 7])), top=5) for n in (3, 4))
    twice, neighbours = (merged(parts, END) for parts in ([three, three], [three, four]))

    assert (len(set(twice.outcomes.groups.tolist())), len(set(neighbours.outcomes.groups.tolist()))) == (2, 1)
    assert (twice.top, gathered(replace(WHOLE, top=5), [three, four]).top) == (5, 5)
    assert gathered(WHOLE, [three, four]).outcomes.groups.tolist() == [7, 7, 7, 7]
