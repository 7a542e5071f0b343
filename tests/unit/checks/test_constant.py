import numpy as np
import pytest

from bot.checks.constant import constant
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, measured, unmeasured

RANDOM = np.random.default_rng(21)


def test_a_column_that_is_stuck_has_lost_its_variety():
    finding = found(constant, *compared(RANDOM.normal(size=3_000), np.full(200, 0.25)))["x"]

    assert finding.verdict is Verdict.CRITICAL
    assert finding.value == pytest.approx(1, abs=0.01)
    assert "every one of 200 values is 0.25" in finding.reason


def test_what_is_lost_is_what_the_reference_has_of_other_values():
    then = RANDOM.choice(["on", "off"], 2_000, p=[0.8, 0.2]).tolist()

    assert measured(constant, *compared(then, ["on"] * 300))["x"].value == pytest.approx(0.2, abs=0.03)
    assert found(constant, *compared(then, ["on"] * 300))["x"].verdict is Verdict.HEALTHY
    assert found(constant, *compared(then, ["off"] * 300))["x"].verdict is Verdict.WARNING


@pytest.mark.parametrize("rows", [100, 200])
def test_rare_events_that_do_not_happen_are_chance(rows):
    then = (RANDOM.random(2_000) < 0.05).astype(float)

    assert found(constant, *compared(then, np.zeros(rows)))["x"].verdict is Verdict.HEALTHY


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_windows_of_the_same_kind_wake_nobody(share):
    reference = a_reading({"x": (RANDOM.random(3_000) < share).astype(float)})

    verdicts = {
        found(constant, reference, a_reading({"x": (RANDOM.random(n) < share).astype(float)}, like=reference))["x"].verdict
        for n in (100, 200)
        for _ in range(100)
    }

    assert verdicts == {Verdict.HEALTHY}


@pytest.mark.parametrize("values", [np.arange(7.0), np.array([2.5, 1, 3, 9, 4, 7, 5])])
def test_a_slow_column_that_stands_still_within_an_hour_is_as_it_was(values):
    assert found(constant, *compared(np.repeat(np.tile(values, 6), 300), np.full(200, values[0])))["x"].verdict is Verdict.HEALTHY


def test_a_column_that_never_varied_cannot_lose_it():
    assert "one value in the reference" in unmeasured(constant, *compared(np.ones(100), np.ones(100)))["x"]
    assert "one value in the reference" in unmeasured(constant, *compared(["a"] * 100, ["b"] * 100))["x"]


def test_of_a_reference_in_no_order_nobody_knows_but_a_column_that_varies_is_well():
    reference, stuck = compared(RANDOM.normal(size=500), np.ones(100))
    unordered = a_reading({"x": RANDOM.normal(size=500)}, like=reference)

    assert "how quickly" in unmeasured(constant, unordered, stuck)["x"]
    assert found(constant, unordered, unordered)["x"].verdict is Verdict.HEALTHY
