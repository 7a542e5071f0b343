from dataclasses import replace

import numpy as np
import pytest

from bot.checks.sentinel import sentinel
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, unmeasured

RANDOM = np.random.default_rng(24)


def temperatures(n, stand_in=0.0, share=0.0, mean=60.0):
    return np.where(RANDOM.random(n) < share, stand_in, np.round(RANDOM.normal(mean, 10, n), 1))


@pytest.mark.parametrize("stand_in", [-999.0, -1.0, 0.0, 9_999.0, 2_147_483_647.0])
@pytest.mark.parametrize(("share", "verdict"), [(0.02, "healthy"), (0.1, "warning"), (0.3, "critical")])
def test_a_null_in_disguise_is_judged_by_its_share(stand_in, share, verdict):
    assert found(sentinel, *compared(temperatures(3_000), temperatures(2_000, stand_in, share)))["x"].verdict == verdict


def test_the_stand_in_is_named_with_its_share_then_and_now():
    now = np.concatenate([np.full(300, -999.0), temperatures(700)])

    assert found(sentinel, *compared(temperatures(3_000), now))["x"].reason == "30.0 % of the values are “-999”, reference 0.0 %"


@pytest.mark.parametrize("word", ["", "N/A", "NULL", "unknown", "-"])
def test_a_word_for_nothing_is_found(word):
    then, now = ["US", "FR"] * 500, ["US"] * 300 + [word] * 200

    assert found(sentinel, *compared(then, now))["x"].verdict is Verdict.CRITICAL


def test_a_word_that_was_always_there_is_a_level_like_any_other():
    assert found(sentinel, *compared(["NA", "US"] * 500, ["NA", "US"] * 100))["x"].verdict is Verdict.HEALTHY
    assert found(sentinel, *compared(["NA"] * 500, ["NA"] * 200))["x"].verdict is Verdict.HEALTHY


@pytest.mark.parametrize("zeros", [0.02, 0.5, 0.95])
def test_a_column_with_zeros_may_have_more_of_them(zeros):
    then, now = temperatures(3_000, 0.0, zeros), temperatures(1_000, 0.0, min(1.0, zeros + 0.3))

    assert found(sentinel, *compared(then, now))["x"].verdict is Verdict.HEALTHY


@pytest.mark.parametrize("mean", [60, 99, 85])
def test_windows_of_the_same_kind_and_seasons_wake_nobody(mean):
    reference = a_reading({"x": temperatures(3_000)})

    verdicts = {
        found(sentinel, reference, a_reading({"x": temperatures(200, mean=mean)}, like=reference))["x"].verdict for _ in range(100)
    }

    assert verdicts == {Verdict.HEALTHY}


def test_one_hour_of_frost_in_a_slow_column_is_no_stand_in():
    then, now = np.repeat(RANDOM.normal(60, 10, 200).round(), 40), np.repeat([0.0, 3.0, 5.0], 40)

    assert found(sentinel, *compared(then, now))["x"].verdict is Verdict.HEALTHY


def test_an_old_profile_says_so():
    reference, current = compared(temperatures(500), temperatures(500))
    old = replace(reference, columns={"x": replace(reference.columns["x"], sentinels=None)})

    assert "older than this check" in unmeasured(sentinel, old, current)["x"]
