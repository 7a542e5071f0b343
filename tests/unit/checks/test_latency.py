from dataclasses import replace

import numpy as np
import pytest

from bot.checks.latency import latency
from bot.core.findings import Verdict
from bot.core.metrics import Series
from bot.core.readings import Operations
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured


def answered_in(milliseconds):
    waits = np.asarray(milliseconds, dtype=np.float64)
    return a_reading(rows=len(waits), operations=Operations(len(waits), 0, waits))


def test_the_percentiles_are_numpys():
    waits = np.random.default_rng(5).exponential(100, 5_000)

    values = {name: m.value for name, m in measured(latency, a_reading(), answered_in(waits)).items()}

    assert values == pytest.approx(dict(zip(("p50", "p95", "p99"), np.quantile(waits, [0.5, 0.95, 0.99]), strict=True)))


@pytest.mark.parametrize(("slow_ms", "verdict"), [(100, Verdict.HEALTHY), (400, Verdict.WARNING), (2_000, Verdict.CRITICAL)])
def test_a_slow_tenth_is_judged_at_the_95th_percentile(slow_ms, verdict):
    waits = [slow_ms] * 100 + [20] * 900

    assert found(latency, a_reading(), answered_in(waits))["p95"].verdict is verdict


def test_a_few_slow_ones_wake_nobody():
    assert found(latency, a_reading(), answered_in([60_000] * 10 + [20] * 990))["p95"].verdict is Verdict.HEALTHY


def test_the_median_is_told_but_not_judged():
    assert found(latency, a_reading(), answered_in([5_000] * 1_000))["p50"].verdict is Verdict.HEALTHY


def test_the_order_of_the_answers_does_not_matter():
    waits = np.arange(500.0)

    forwards, backwards = (measured(latency, a_reading(), answered_in(w))["p95"].interval for w in (waits, waits[::-1]))

    assert forwards == backwards


@pytest.mark.parametrize("current", [a_reading(), answered_in([])])
def test_without_latencies_nothing_is_known(current):
    assert "no latencies" in unmeasured(latency, a_reading(), current)["p95"]


def test_too_few_answers_are_said_to_be_too_few():
    assert found(latency, a_reading(), answered_in([9_999] * 20))["p95"].verdict is Verdict.UNKNOWN


def metered(rows=1_000, **metrics):
    return a_reading(rows=rows, resources={name: Series(np.asarray(values), len(values)) for name, values in metrics.items()})


def test_where_the_log_has_none_the_metrics_serve():
    findings = found(latency, a_reading(), metered(latency_p95=np.full(60, 400.0), latency_p99=np.full(60, 900.0)))

    assert {name: (f.value, f.verdict, f.n) for name, f in findings.items()} == {
        "p95": (400.0, Verdict.WARNING, 1_000),
        "p99": (900.0, Verdict.HEALTHY, 1_000),
    }
    assert measured(latency, a_reading(), metered(latency_p95=np.full(60, 40.0)))["p95"].detail.endswith("latency_p95")


def test_the_log_comes_first():
    both = replace(metered(latency_p95=np.full(60, 9_000.0)), operations=answered_in([20] * 1_000).operations)

    assert found(latency, a_reading(), both)["p95"].value == 20


def test_a_metric_of_few_requests_is_not_enough_data():
    assert found(latency, a_reading(), metered(20, latency_p95=np.full(60, 9_000.0)))["p95"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("values", "why"), [([], "not one sample"), ([1.0] * 5, "5 of 8 samples")])
def test_a_metric_that_tells_too_little_is_said(values, why):
    assert why in unmeasured(latency, a_reading(), metered(latency_p95=values))["p95"]
