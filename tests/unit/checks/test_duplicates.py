import numpy as np
import pytest

from bot.checks.duplicates import duplicates
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, unmeasured

RANDOM = np.random.default_rng(22)


def with_repeats(repeats, rows=2_000):
    return a_reading(rows=rows, duplicates=repeats)


@pytest.mark.parametrize(
    ("repeats", "verdict"), [(0, "healthy"), (15, "healthy"), (60, "warning"), (300, "critical"), (1_999, "critical")]
)
def test_repeated_requests_are_judged_by_their_share(repeats, verdict):
    assert found(duplicates, with_repeats(0), with_repeats(repeats))["model"].verdict == verdict


def test_retries_that_were_always_there_are_no_news():
    assert found(duplicates, with_repeats(100), with_repeats(110))["model"].verdict is Verdict.HEALTHY


def test_windows_of_the_same_kind_wake_nobody():
    verdicts = {
        found(duplicates, with_repeats(100), with_repeats(int(RANDOM.binomial(500, 0.05)), 500))["model"].verdict
        for _ in range(200)
    }

    assert verdicts == {Verdict.HEALTHY}


def test_without_request_ids_nobody_knows():
    assert "the log has no request ids" in unmeasured(duplicates, with_repeats(0), with_repeats(None))["model"]
    assert "the reference has no request ids" in unmeasured(duplicates, with_repeats(None), with_repeats(0))["model"]
