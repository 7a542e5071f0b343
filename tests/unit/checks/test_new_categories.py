import numpy as np
import pytest

from bot.checks.new_categories import new_categories
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(19)
CARRIERS = ["UA", "DL", "B6", "AA"]


def compared(then, now):
    reference = a_reading({"x": list(then)})
    return reference, a_reading({"x": list(now)}, like=reference)


def carriers(n):
    return RANDOM.choice(CARRIERS, n).tolist()


def people(n, of=5_000):
    return [f"person {i}" for i in RANDOM.integers(0, of, n)]


def tail(n):
    return [f"page {i}" for i in np.minimum(RANDOM.zipf(1.5, n), 10**9)]


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "healthy"), (0.005, "healthy"), (0.03, "warning"), (0.10, "critical")])
def test_the_share_of_unseen_levels_is_judged(share, verdict):
    now = ["new"] * round(share * 2_000) + carriers(2_000 - round(share * 2_000))

    assert found(new_categories, *compared(carriers(5_000), now))["x"].verdict == verdict


def test_the_worst_levels_are_named_the_most_frequent_first():
    result = measured(new_categories, *compared(["a"] * 90, ["a"] * 4 + ["b"] * 2 + ["c"] * 3 + ["d", "e"]))["x"]

    assert result.value == 7 / 11
    assert result.detail == "7 of 11 rows are “c”, “b”, “d” and 1 more, which the reference does not have"


def test_a_hostile_level_is_one_short_line():
    detail = measured(new_categories, *compared(["a"] * 90, ["<!channel>\n" * 500] * 50))["x"].detail

    assert "\n" not in detail
    assert len(detail) < 150


@pytest.mark.parametrize("rows", [100, 2_000])
@pytest.mark.parametrize("draw", [carriers, tail, people], ids=["few", "long tail", "more than are kept"])
def test_windows_of_the_same_kind_wake_nobody(draw, rows):
    reference = a_reading({"x": draw(6_000)})

    verdicts = [found(new_categories, reference, a_reading({"x": draw(rows)}, like=reference))["x"].verdict for _ in range(50)]

    assert not [verdict for verdict in verdicts if verdict in (Verdict.WARNING, Verdict.CRITICAL)]


def test_where_levels_were_dropped_a_rare_one_cannot_be_told_from_a_new_one():
    then = people(20_000)

    assert "looks like a rare one" in unmeasured(new_categories, *compared(then, people(500)))["x"]


def test_even_there_a_level_that_is_too_frequent_to_have_been_dropped_is_new():
    finding = found(new_categories, *compared(people(20_000), ["robot"] * 100 + people(900)))["x"]

    assert finding.verdict is Verdict.CRITICAL
    assert "“robot”" in finding.reason


def test_a_new_month_is_no_surprise_to_a_reference_of_four():
    months = [month for month in ("Jan", "Feb", "Mar", "Apr") for _ in range(1_000)]

    assert found(new_categories, *compared(months, ["May"] * 500))["x"].verdict is Verdict.HEALTHY
