"""What must hold for each check there is, today's and tomorrow's: nothing broken or empty is ever called healthy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import checks
from bot.core.checks import Check, Measurement
from bot.core.findings import Verdict
from bot.core.merging import gathered
from bot.core.metrics import UNITS, Series
from bot.core.readings import BINARY, Operations
from bot.core.registry import discover
from tests.fakes.readings import a_reading, joint, outcomes
from tests.unit.checks.judging import found

CHECKS = discover(checks, Check)
RANDOM = np.random.default_rng(7)
N = 3_000
ALONE = {"errors", "latency", "freshness", "performance", "slices", "calibration"}
"""They hold the window against a line, not against the reference."""


def a_whole_reading(like=None, n=N):
    x = RANDOM.normal(size=n)
    columns = {"x": x, "y": x + RANDOM.normal(size=n), "carrier": RANDOM.choice(["UA", "DL", "B6"], n).tolist()}
    scores = RANDOM.random(n * 6)  # enough for the window to be held against several stretches as long
    truth = RANDOM.random(n * 6) < scores
    reading = a_reading(columns, like)
    return replace(
        reading,
        newest=reading.window.end if n else None,
        duplicates=0 if n else None,
        outcomes=outcomes(scores, truth),
        joint=joint(columns, scores=scores[:n], labels=truth[:n].astype(np.float64)),
        scored=scores[:n],
        operations=Operations(n, 0, RANDOM.exponential(50, n)),
        resources={name: Series(RANDOM.gamma(100, 0.0001, 200), 200) for name in UNITS} if n else {},
    )


USUAL = a_whole_reading()


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_window_like_its_reference_is_healthy(check):
    assert {finding.verdict for finding in found(check, USUAL, a_whole_reading(USUAL)).values()} == {Verdict.HEALTHY}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("empty", [a_whole_reading(USUAL, n=0), a_reading()], ids=["columns without rows", "nothing at all"])
def test_an_empty_window_is_never_healthy(check, empty):
    verdicts = [finding.verdict for finding in found(check, USUAL, empty).values()]

    assert Verdict.HEALTHY not in verdicts


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_without_a_reference_nothing_that_compares_is_healthy(check):
    verdicts = [finding.verdict for finding in found(check, a_reading(), a_whole_reading()).values()]

    assert check.name in ALONE or Verdict.HEALTHY not in verdicts


@pytest.mark.parametrize("check", [c for c in CHECKS.values() if not c.ever], ids=lambda check: check.name)
def test_against_hours_of_which_the_reference_has_no_rows_nothing_that_compares_is_healthy(check):
    nothing = gathered(USUAL, [])

    findings = found(check, nothing, a_whole_reading(USUAL))

    assert findings
    assert check.name in ALONE or Verdict.HEALTHY not in [finding.verdict for finding in findings.values()]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_lost_column_is_never_healthy(check):
    rest = replace(a_whole_reading(USUAL), columns={}, kinds={})

    findings = found(check, USUAL, rest)

    assert not [s for s in ("x", "carrier") if s in findings and findings[s].verdict is Verdict.HEALTHY]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_column_without_any_value_is_never_healthy(check):
    gone = a_reading({"x": np.full(N, np.nan), "carrier": [None] * N}, USUAL)

    findings = found(check, USUAL, gone)

    assert check.name == "schema" or not [s for s in ("x", "carrier") if s in findings and findings[s].verdict is Verdict.HEALTHY]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_column_of_another_type_is_never_healthy(check):
    changed = a_reading({"x": ["1"] * N, "carrier": np.ones(N)}, USUAL)
    ignored = {"missing"}  # it counts what is there, whatever it is

    findings = found(check, USUAL, changed)

    assert check.name in ignored or not [s for s in ("x", "carrier") if s in findings and findings[s].verdict is Verdict.HEALTHY]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_measures_the_same_twice(check):
    current = a_whole_reading(USUAL)

    assert list(check.measure(USUAL, current)) == list(check.measure(USUAL, current))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_looks_at_whole_rows_just_where_it_says_so(check):
    current = a_whole_reading(USUAL)
    without = [replace(reading, joint=None) for reading in (USUAL, current)]

    assert (BINARY in check.whole_rows) is (list(check.measure(*without)) != list(check.measure(USUAL, current)))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_it_says_what_it_measures_and_has_a_line_to_judge_by(check):
    lines = [
        line for threshold in (check.threshold, *check.thresholds.values()) for line in (threshold.warning, threshold.critical)
    ]

    assert check.summary
    assert any(line is not None for line in lines)


odd = st.lists(st.sampled_from([0.0, -0.0, 1.0, -999.0, 1e6, 1e308, -1e308, 5e-324, np.nan, np.inf, -np.inf]), max_size=30)
names = st.lists(st.sampled_from(["", "a", "b", None, "<!channel>", "\x00", "é", "NaN", "N/A", "12,5"]), max_size=30)


@settings(max_examples=60)
@given(odd, odd, names, names)
def test_no_column_is_odd_enough_to_crash_a_check_or_to_make_a_number_that_is_none(before, after, levels, later):
    reference = a_reading({"x": np.array(before), "carrier": levels})
    current = a_reading({"x": np.array(after), "carrier": later}, reference)

    results = [m for check in CHECKS.values() for m in check.measure(reference, current)]

    assert all(np.isfinite(m.value) for m in results if isinstance(m, Measurement))


@settings(max_examples=60)
@given(odd, odd, names, names, st.integers(1, 60))
def test_whatever_is_measured_lies_within_its_interval_and_is_said_on_one_line(before, after, levels, later, times):
    reference = a_reading({"x": np.tile(before, times), "carrier": levels * times}, duplicates=1)
    current = a_reading({"x": np.tile(after, times), "carrier": later * times}, reference, duplicates=len(after))

    results = [m for check in CHECKS.values() for m in check.measure(reference, current) if isinstance(m, Measurement)]

    assert all(m.interval is None or m.interval[0] <= m.value <= m.interval[1] for m in results)
    assert not [m.detail for m in results if "\n" in m.detail or len(m.detail) > 300]
