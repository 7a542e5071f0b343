"""Metrics against what is usual and what is allowed: quiet on busy hours, loud when it matters, honest when nothing is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from bot.checks.resources import resources
from bot.core.checks import Measurement
from bot.core.findings import Verdict
from bot.core.metrics import UNITS, Series
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

GIB = 1_024.0**3


def told(values, limit=None):
    return Series(np.asarray(values, dtype=np.float64), len(values), limit=limit)


def reading(**metrics):
    """Return a reading with these metrics: values, or (values, limit)."""
    return a_reading(resources={name: told(*given) if isinstance(given, tuple) else told(given) for name, given in metrics.items()})


def around(centre, n=240, seed=0):
    """Return samples that scatter by a tenth."""
    return np.random.default_rng(seed).normal(centre, centre / 10, n)


def verdicts(before, after):
    return {subject: finding.verdict for subject, finding in found(resources, before, after).items()}


def test_it_is_the_ratio_of_the_levels():
    now = measured(resources, reading(memory=np.full(100, 2 * GIB)), reading(memory=np.full(60, 3 * GIB)))["memory"]

    assert (now.value, now.n) == (1.5, 60)
    assert now.interval == pytest.approx((1.5 / 1.1, 1.5))  # from the end of what is usual
    assert now.detail == "3 GiB; usual is 2 GiB, from 1.82 GiB to 2.2 GiB"


@pytest.mark.parametrize(
    ("name", "times", "verdict"),
    [
        ("memory", 1.0, Verdict.HEALTHY),
        ("memory", 1.7, Verdict.WARNING),
        ("memory", 2.5, Verdict.CRITICAL),
        ("memory", 0.01, Verdict.HEALTHY),  # a process that was started anew
        ("latency_p99", 3.0, Verdict.CRITICAL),
        ("latency_p99", 0.1, Verdict.HEALTHY),
        ("cpu", 2.5, Verdict.CRITICAL),
        ("gpu", 0.02, Verdict.CRITICAL),  # its work has gone elsewhere, or nowhere
        ("throughput", 4.0, Verdict.HEALTHY),
        ("throughput", 0.4, Verdict.WARNING),
        ("throughput", 0.01, Verdict.CRITICAL),
    ],
)
def test_each_metric_is_judged_on_the_side_that_is_trouble(name, times, verdict):
    assert verdicts(reading(**{name: around(50)}), reading(**{name: around(50 * times, seed=1)})) == {name: verdict}


def test_silence_is_critical_where_there_was_traffic():
    assert verdicts(reading(throughput=around(50)), reading(throughput=np.zeros(240)))["throughput"] is Verdict.CRITICAL


def test_silence_is_usual_where_nights_are_silent():
    days = np.where(np.arange(300) % 24 < 8, 0.0, 50.0)

    assert verdicts(reading(throughput=days), reading(throughput=np.zeros(240)))["throughput"] is Verdict.HEALTHY


@pytest.mark.parametrize(("share", "verdict"), [(0.002, Verdict.HEALTHY), (0.02, Verdict.WARNING), (0.2, Verdict.CRITICAL)])
def test_errors_are_judged_by_their_difference_because_none_at_all_is_usual(share, verdict):
    assert verdicts(reading(error_rate=np.zeros(100)), reading(error_rate=np.full(60, share)))["error_rate"] is verdict


def test_a_busy_hour_that_the_reference_knows_is_usual():
    hours = 1.0 + 0.9 * np.sin(np.arange(300) / 24 * 2 * np.pi)
    peak = np.full(240, 1.85)
    finding = found(resources, reading(cpu=hours), reading(cpu=peak))["cpu"]

    assert finding.value > 1.5
    assert finding.verdict is Verdict.HEALTHY


def test_one_glitch_in_either_window_neither_raises_nor_hides_anything():
    calm, high, glitch = around(50), around(150, seed=1), 1e12
    spiked, spiked_high = np.r_[glitch, calm], np.r_[high, glitch]

    assert verdicts(reading(memory=calm), reading(memory=spiked))["memory"] is Verdict.HEALTHY
    assert verdicts(reading(memory=spiked), reading(memory=spiked_high))["memory"] is Verdict.CRITICAL


def noise(rng, n, rho, sd):
    """Return an AR(1) series around 0."""
    return lfilter([1], [1, -rho], rng.normal(size=n + 100) * sd * np.sqrt(1 - rho**2))[100:]


def drifting(rng, at_h):
    return np.maximum(0.0, 1 + 0.5 * np.sin(at_h / 24 * 2 * np.pi) + noise(rng, len(at_h), 0.9, 0.2))


def spiking(rng, at_h):
    usual_ms = np.exp(
        4 + 0.3 * np.sin(at_h / 24 * 2 * np.pi) + noise(rng, len(at_h), 0.98, 0.25) + rng.normal(size=len(at_h)) * 0.2
    )
    return np.where(rng.random(len(at_h)) < 0.01, 20.0, 1.0) * usual_ms


def counted(rng, at_h):
    return rng.poisson(300 * np.maximum(0.0, 30 * (1 + 0.9 * np.sin(at_h / 24 * 2 * np.pi)))) / 300


def leaking(rng, at_h):
    return 2 + at_h % 37 / 37 * 1.5 + rng.normal(size=len(at_h)) * 0.02


@pytest.mark.parametrize("days", [3, 28])
@pytest.mark.parametrize(
    ("name", "load"), [("cpu", drifting), ("cpu", counted), ("latency_p95", spiking), ("throughput", counted), ("memory", leaking)]
)
def test_hours_of_unruly_but_usual_loads_raise_nothing(name, load, days):
    rng = np.random.default_rng(11)
    reference = [load(rng, np.linspace(0, days * 24, 300)) for _ in range(4)]
    hours = [load(rng, rng.uniform(0, 168) + np.linspace(0, 1, 240)) for _ in range(100)]
    told = [verdicts(reading(**{name: reference[i % 4]}), reading(**{name: hour}))[name] for i, hour in enumerate(hours)]

    assert told.count(Verdict.CRITICAL) == 0
    assert told.count(Verdict.WARNING) <= 1


@pytest.mark.parametrize(("gib", "verdict"), [(4.0, Verdict.HEALTHY), (7.5, Verdict.WARNING), (8.1, Verdict.CRITICAL)])
def test_what_fills_up_is_held_against_its_limit_without_any_reference(gib, verdict):
    findings = verdicts(a_reading(), reading(memory=(np.full(60, gib * GIB), 8 * GIB)))

    assert findings == {"memory": Verdict.UNKNOWN, "memory_limit": verdict}


def test_a_leak_is_seen_in_the_window_in_which_it_passes_the_limit():
    leak = np.linspace(4, 8.6, 240) * GIB

    assert verdicts(a_reading(), reading(memory=(leak, 8 * GIB)))["memory_limit"] is Verdict.CRITICAL


def test_a_lone_peak_over_the_limit_is_not_the_window():
    peaks = np.r_[np.full(237, 4.0), np.full(3, 9.0)] * GIB

    assert verdicts(a_reading(), reading(memory=(peaks, 8 * GIB)))["memory_limit"] is Verdict.HEALTHY


def test_the_limit_of_throughput_is_the_least():
    assert verdicts(a_reading(), reading(throughput=(np.full(60, 4.0), 5.0)))["throughput_limit"] is Verdict.CRITICAL
    assert verdicts(a_reading(), reading(throughput=(np.full(60, 9.0), 5.0)))["throughput_limit"] is Verdict.HEALTHY


def test_a_limit_says_how_much_of_it_is_taken():
    now = measured(resources, a_reading(), reading(latency_p95=(np.full(60, 150.0), 300.0)))["latency_p95_limit"]

    assert (now.value, now.detail) == (0.5, "150 ms on average, at most 300 ms is allowed")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (Series(trouble="Prometheus is gone.", limit=1.0), "Prometheus is gone."),
        (Series(limit=1.0), "there is not one sample of it"),
        (Series(np.ones(20), 100, limit=1.0), "its samples cover 20 % of the window only"),
        (Series(np.ones(7), 7, limit=1.0), "not enough data: 7 of 8 samples"),
    ],
)
def test_what_is_not_told_is_unknown_for_both_questions(now, why):
    assert unmeasured(resources, reading(cpu=around(1)), a_reading(resources={"cpu": now})) == {"cpu": why, "cpu_limit": why}


@pytest.mark.parametrize(
    ("then", "why"),
    [(Series(trouble="Down."), "usual (Down.)"), (Series(), "0 of 20 samples"), (Series(np.ones(19), 19), "19 of 20 samples")],
)
def test_without_a_past_nothing_is_usual(then, why):
    assert why in unmeasured(resources, a_reading(resources={"cpu": then}), reading(cpu=around(1)))["cpu"]


def test_a_reference_that_is_half_forgotten_is_still_one():
    half = Series(around(50), 2_000)

    assert verdicts(a_reading(resources={"cpu": half}), reading(cpu=around(50, seed=1)))["cpu"] is Verdict.HEALTHY


def test_of_nothing_there_is_no_ratio():
    assert "give it a limit" in unmeasured(resources, reading(gpu=np.zeros(60)), reading(gpu=around(1)))["gpu"]


def test_a_model_without_metrics_is_told_how_to_name_them():
    assert "under `metrics`" in unmeasured(resources, a_reading(), a_reading())["model"]


def test_numbers_beyond_all_measure_are_unknown():
    tiny, huge = np.full(60, 1e-300), np.full(60, 1e300)

    assert "too far apart" in unmeasured(resources, reading(cpu=tiny), reading(cpu=huge))["cpu"]
    assert "too large" in unmeasured(resources, a_reading(), reading(cpu=(huge, 1e-300), error_rate=(huge, 1e-300)))["cpu_limit"]
    assert "too large" in unmeasured(resources, a_reading(), reading(error_rate=(huge, 1e-300)))["error_rate_limit"]


samples = st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, 1e308, -1e308, 0.5]), max_size=40)


@settings(max_examples=100)
@given(samples, samples, st.sampled_from(list(UNITS)))
def test_no_sample_is_odd_enough_to_crash_it(before, after, name):
    then, now = a_reading(resources={name: told(before)}), a_reading(resources={name: replace(told(after), limit=2.0)})

    results = [m for m in resources.measure(then, now) if isinstance(m, Measurement)]

    assert all(np.isfinite([m.value, *(m.interval or ())]).all() for m in results)
    assert all(m.interval is None or m.interval[0] <= m.value <= m.interval[1] for m in results)
    assert not [m.detail for m in results if "\n" in m.detail or len(m.detail) > 300]


def test_the_top_of_a_smooth_daily_rhythm_is_usual_every_day():
    day = 1 + 0.95 * np.sin(np.arange(300) / 37 * 2 * np.pi)

    assert verdicts(reading(cpu=day), reading(cpu=np.full(240, 1.95)))["cpu"] is Verdict.HEALTHY


def test_spikes_that_come_now_and_then_do_not_hide_what_stays():
    rng = np.random.default_rng(8)
    calm = rng.normal(100, 5, 300)
    calm[::75] *= 20

    assert verdicts(reading(latency_p95=calm), reading(latency_p95=rng.normal(250, 5, 240)))["latency_p95"] is Verdict.CRITICAL
