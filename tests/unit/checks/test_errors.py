from dataclasses import replace

import numpy as np
import pytest

from bot.checks.errors import errors
from bot.core.findings import Verdict
from bot.core.metrics import Series
from bot.core.readings import Operations
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured


def serving(failed, of):
    return a_reading(rows=of, operations=Operations(of, failed, np.empty(0)))


def test_it_is_the_share_that_failed():
    assert measured(errors, a_reading(), serving(30, 1_000))["model"].value == 0.03


@pytest.mark.parametrize(
    ("failed", "verdict"), [(0, Verdict.HEALTHY), (12, Verdict.HEALTHY), (30, Verdict.WARNING), (100, Verdict.CRITICAL)]
)
def test_the_whole_interval_must_lie_beyond_the_line(failed, verdict):
    assert found(errors, a_reading(), serving(failed, 1_000))["model"].verdict is verdict


def test_every_request_failing_is_critical():
    assert found(errors, a_reading(), serving(500, 500))["model"].verdict is Verdict.CRITICAL


def test_too_few_requests_are_said_to_be_too_few():
    assert found(errors, a_reading(), serving(10, 10))["model"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("current", [a_reading(), serving(0, 0)])
def test_without_requests_nothing_is_known(current):
    assert "no requests" in unmeasured(errors, a_reading(), current)["model"]


def metered(reading, share):
    return replace(reading, resources={"error_rate": Series(np.full(60, share), 60)})


def test_where_the_log_knows_no_failure_the_metrics_serve():
    told = measured(errors, a_reading(), metered(serving(0, 1_000), 0.2))["model"]

    assert (told.value, told.n) == (pytest.approx(0.2), 1_000)
    assert found(errors, a_reading(), metered(a_reading(rows=1_000), 0.2))["model"].verdict is Verdict.CRITICAL


def test_failures_in_the_log_come_first():
    assert measured(errors, a_reading(), metered(serving(30, 1_000), 0.9))["model"].value == 0.03


def test_a_metric_that_tells_nothing_leaves_the_log_to_tell():
    gone = replace(serving(0, 1_000), resources={"error_rate": Series(trouble="Down.")})

    assert measured(errors, a_reading(), gone)["model"].value == 0.0
