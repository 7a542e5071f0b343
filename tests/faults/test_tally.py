"""The table of failures says what was counted, also where something is lost, doubled, broken or was not run."""

import pytest

from tests.faults.failures import FAILURES, Shown, balance, table


def line(text, failure):
    return next(row.split() for row in text.splitlines() if row.startswith(failure))


@pytest.mark.parametrize(
    ("applied", "counts"),
    [
        (["a", "b"], {"effects": 2, "lost": 0, "doubled": 0}),
        (["a"], {"effects": 1, "lost": 1, "doubled": 0}),
        (["a", "b", "b"], {"effects": 2, "lost": 0, "doubled": 1}),
        (["a", "b", "c"], {"effects": 3, "lost": 0, "doubled": 1}),
    ],
    ids=["all once", "lost", "doubled", "nobody's"],
)
def test_effects_are_held_against_those_that_were_expected(applied, counts):
    assert balance(["a", "b"], applied) == counts


def test_counts_of_several_tests_add_up_and_times_are_told_by_the_worst():
    told = table(
        [
            Shown("storm", "sqlite", (("kills", 10), ("runs", 20), ("seconds", 3.0)), "held", "one"),
            Shown("storm", "sqlite", (("kills", 12), ("seconds", 2.0)), "held", "two"),
        ]
    )

    assert line(told, "storm") == ["storm", "sqlite", "22", "20", "held", "(2)", "seconds", "3.0"]


def test_what_broke_or_was_skipped_is_no_failure_outlived():
    told = table([Shown("storm", "sqlite", (), verdict, verdict) for verdict in ("held", "BROKEN", "skipped")])

    assert line(told, "storm") == ["storm", "sqlite", "1", "of", "3", "held"]


def test_a_failure_that_nobody_showed_is_named():
    told = table([])

    assert all(line(told, failure.split()[0])[-2:] == ["not", "run"] for failure in FAILURES)
