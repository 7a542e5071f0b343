"""Measurements become findings: significance and size, never p alone; what is not known is never healthy."""

import pytest

from bot.core.checks import Check, Family, Measurement, NotMeasured, Threshold
from bot.core.findings import ESTIMATED, Verdict, in_slice, judge, significant, worst
from tests.fakes.nouns import DAY, a_finding

PAPER = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
"""The fifteen p-values of Benjamini and Hochberg's own example (1995, section 3.1); at 5 % four of them pass."""


def a_check(threshold):
    return Check("psi", Family.DRIFT, "index", lambda _reference, _current: iter(()), threshold)


def with_p(*p_values):
    return [Measurement(f"c{i}", 0.5, 1_000, p_value=p) for i, p in enumerate(p_values)]


def judged(threshold, *results):
    return judge(a_check(threshold), results, model="delays@production", window=DAY)


def test_the_correction_passes_what_its_inventors_passed():
    assert significant(with_p(*PAPER), 0.05) == {"c0", "c1", "c2", "c3"}


def test_a_p_value_above_its_own_line_passes_below_a_later_one_that_passes():
    assert significant(with_p(0.015, 0.02, 0.029, 0.6), 0.05) == {"c0", "c1", "c2"}


def test_the_order_of_the_columns_changes_nothing():
    assert significant(with_p(0.6, 0.029, 0.015, 0.02), 0.05) == {"c1", "c2", "c3"}


def test_what_was_not_tested_is_not_significant():
    assert significant([Measurement("temp", 0.5, 10)], 0.05) == set()


def test_one_of_many_columns_is_within_chance_although_its_p_alone_looks_small():
    line = Threshold(warning=0.1, critical=0.25, significance=0.05)
    first, *_ = judged(line, *with_p(0.04, 0.3, 0.5, 0.9))

    assert (first.verdict, first.reason) == (Verdict.HEALTHY, "large, but within chance")


def test_a_significant_and_large_measurement_is_critical_and_says_the_line():
    (only,) = judged(Threshold(warning=0.1, critical=0.25, significance=0.05), *with_p(0.001))

    assert (only.verdict, only.reason, only.threshold) == (Verdict.CRITICAL, "≥ 0.25", 0.25)


def test_a_significant_but_small_measurement_is_healthy():
    small = Measurement("temp", 0.01, 1_000_000, p_value=1e-12, detail="a hair")
    (only,) = judged(Threshold(warning=0.1, significance=0.05), small)

    assert (only.verdict, only.reason) == (Verdict.HEALTHY, "a hair")


def test_too_few_rows_are_unknown_however_bad_the_number():
    (only,) = judged(Threshold(critical=0.25, least_rows=5_000), *with_p(None))

    assert (only.verdict, only.reason) == (Verdict.UNKNOWN, "not enough data: 1,000 of 5,000 rows")


def test_what_was_not_measured_is_unknown_and_says_why():
    (only,) = judged(Threshold(critical=0.25), NotMeasured("temp", "312 of 1,000 labels", 312))

    assert (only.verdict, only.reason, only.value, only.n) == (Verdict.UNKNOWN, "312 of 1,000 labels", None, 312)


def test_a_finding_carries_everything_that_was_measured():
    all_of_it = Measurement("temp", 0.2, 912, reference=0.01, interval=(0.15, 0.25), p_value=0.001, detail="warmer")
    (only,) = judged(Threshold(warning=0.1, critical=0.25), all_of_it)

    assert only == a_finding(
        value=0.2,
        reference=0.01,
        interval=(0.15, 0.25),
        p_value=0.001,
        threshold=0.1,
        subject="temp",
        n=912,
        reason="warmer",
        label="psi",
    )


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.HEALTHY], Verdict.HEALTHY),
        ([Verdict.HEALTHY, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.WARNING], Verdict.WARNING),
        ([Verdict.CRITICAL, Verdict.WARNING], Verdict.CRITICAL),
    ],
)
def test_the_worst_of_several_counts_and_nothing_at_all_is_unknown(verdicts, expected):
    assert worst(a_finding(verdict=verdict) for verdict in verdicts) is expected


@pytest.mark.parametrize(("verdict", "bad"), [*zip(Verdict, [False, False, True, True], strict=True)])
def test_only_warning_and_critical_are_worth_attention(verdict, bad):
    assert a_finding(verdict=verdict).bad is bad


def test_findings_that_answer_the_same_question_have_the_same_key():
    assert a_finding(value=0.1).key == a_finding(value=0.9).key == ("psi", "temperature")


@pytest.mark.parametrize(("p_value", "passes"), [(0.05, True), (0.0501, False)])
def test_a_p_value_on_the_line_passes(p_value, passes):
    assert bool(significant(with_p(p_value), 0.05)) is passes


def test_a_finding_on_a_slice_is_about_the_same_column_as_one_on_the_whole():
    assert a_finding(subject=in_slice("temp", "o=a · b"), slice="o=a · b").column == "temp"
    assert a_finding(subject="temp").column == "temp"


@pytest.mark.parametrize(
    ("changes", "tells"),
    [({}, True), ({"subject": "brier"}, False), ({"check": ESTIMATED}, False), ({"family": Family.DRIFT}, False)],
)
def test_only_labels_tell_how_the_primary_metric_does(changes, tells):
    finding = a_finding(**{"check": "performance", "family": Family.PERFORMANCE, "subject": "roc_auc", **changes})

    assert finding.tells("roc_auc") is tells
