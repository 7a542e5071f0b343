"""Metrics are told with their units, and a series says when it says nothing."""

import numpy as np
import pytest

from bot.core.metrics import Series, told


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("memory", 2.1 * 1_024**3, "2.1 GiB"),
        ("memory", 512, "512 B"),
        ("gpu_memory", 1e30, "888,178,419,700,125 PiB"),
        ("latency_p95", 340.2, "340 ms"),
        ("error_rate", 0.008, "0.8 %"),
        ("throughput", 12.0, "12 requests/s"),
        ("cpu", 1.25, "1.25"),
        ("queue", 7.0, "7"),
    ],
)
def test_a_value_is_told_in_the_unit_of_its_metric(name, value, words):
    assert told(name, value) == words


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (Series(np.ones(50), 100), ""),
        (Series(np.ones(49), 100), "its samples cover 49 % of the window only"),
        (Series(), "there is not one sample of it"),
        (Series(np.ones(100), 100, trouble="It is down."), "It is down."),
    ],
)
def test_a_series_with_trouble_or_mostly_gaps_is_unknown(series, why):
    assert series.unknown == why
