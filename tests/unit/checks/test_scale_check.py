from dataclasses import replace

import numpy as np
import pytest

from bot.checks.scale import scale
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, measured, unmeasured

RANDOM = np.random.default_rng(23)


def distances(n):
    return RANDOM.gamma(4, 200, n)


def some(values, factor, share):
    return np.where(np.arange(len(values)) < share * len(values), values * factor, values)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (100, "about 100 times larger"),
        (1_000, "about 1,000 times larger"),
        (0.001, "about 1,000 times smaller"),
        (60, "about 60 times larger"),
        (-1, "of the other sign"),
    ],
)
def test_another_unit_is_critical_and_said_in_words(factor, words):
    finding = found(scale, *compared(np.full(5_000, 500.0) + RANDOM.normal(0, 1, 5_000), RANDOM.normal(500, 1, 1_000) * factor))[
        "x"
    ]

    assert finding.verdict is Verdict.CRITICAL
    assert words in finding.reason


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "healthy"), (0.12, "warning"), (0.3, "critical"), (1.0, "critical")])
def test_a_rollout_of_another_unit_is_judged_by_its_share(share, verdict):
    compare = compared(distances(5_000), some(distances(1_000), 1_000, share))

    assert found(scale, *compare)["x"].verdict == verdict
    assert measured(scale, *compare)["x"].value == pytest.approx(share, abs=0.04)


def test_a_part_is_said_to_be_one():
    reason = found(scale, *compared(distances(5_000), some(distances(2_000), 1_000, 0.3)))["x"].reason

    assert reason.startswith(("about 29 %", "about 30 %", "about 31 %"))
    assert "1,000 times larger" in reason


def test_windows_of_the_same_kind_and_seasons_wake_nobody():
    winter = a_reading({"x": RANDOM.normal(30, 10, 5_000)})

    verdicts = {
        found(scale, winter, a_reading({"x": RANDOM.normal(mean, 9, 300)}, like=winter))["x"].verdict
        for mean in (30, 50, 80)
        for _ in range(60)
    }

    assert verdicts == {Verdict.HEALTHY}


def test_few_values_a_constant_and_an_old_profile_are_said():
    assert "40 of 50 values" in unmeasured(scale, *compared(distances(500), distances(40)))["x"]
    assert "one value" in unmeasured(scale, *compared(np.ones(500), np.ones(500)))["x"]
    reference, current = compared(distances(500), distances(500))
    old = replace(reference, columns={"x": replace(reference.columns["x"], magnitudes=None)})
    assert "older than this check" in unmeasured(scale, old, current)["x"]
