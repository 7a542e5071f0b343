import numpy as np
import pytest

from bot.checks.vanished_categories import vanished_categories
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(20)


def compared(then, now):
    reference = a_reading({"x": list(then)})
    return reference, a_reading({"x": list(now)}, like=reference)


def airports(n, shares=(0.4, 0.35, 0.15, 0.08, 0.02)):
    return RANDOM.choice(["JFK", "EWR", "LGA", "SWF", "ISP"], n, p=np.array(shares) / sum(shares)).tolist()


@pytest.mark.parametrize(
    ("left", "gone", "verdict"),
    [
        ((0.4, 0.35, 0.15, 0.08, 0.0), 0.02, "healthy"),
        ((0.4, 0.35, 0.0, 0.08, 0.02), 0.15, "warning"),
        ((0.0, 0.35, 0.15, 0.08, 0.02), 0.40, "critical"),
    ],
)
def test_what_is_gone_is_judged_by_what_it_was(left, gone, verdict):
    current = compared(airports(5_000), airports(1_000, left))

    assert measured(vanished_categories, *current)["x"].value == pytest.approx(gone, abs=0.02)
    assert found(vanished_categories, *current)["x"].verdict == verdict


def test_the_levels_are_named():
    reason = found(vanished_categories, *compared(["a", "b"] * 500, ["a"] * 300))["x"].reason

    assert reason == "“b” had 50.0 % of the reference's rows, none of 300 now"


@pytest.mark.parametrize("rows", [100, 1_000])
def test_windows_of_the_same_kind_wake_nobody_though_rare_levels_are_missing(rows):
    then = airports(5_000) + [f"rare {i}" for i in range(800)]
    RANDOM.shuffle(then)
    reference = a_reading({"x": then})

    verdicts = {
        found(vanished_categories, reference, a_reading({"x": airports(rows)}, like=reference))["x"].verdict for _ in range(100)
    }

    assert verdicts == {Verdict.HEALTHY}


def test_on_a_tuesday_the_other_weekdays_have_not_vanished():
    weekdays = [day for _ in range(8) for day in "MTWtFSs" for _ in range(200)]

    assert found(vanished_categories, *compared(weekdays, ["T"] * 200))["x"].verdict is Verdict.HEALTHY


def test_of_a_reference_in_no_order_nobody_knows():
    _, current = compared("ab" * 100, "a" * 200)
    unordered = a_reading({"x": list("ab" * 100)}, like=current)

    assert "how quickly" in unmeasured(vanished_categories, unordered, current)["x"]
