import numpy as np
import pytest

from bot.checks.schema import schema
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, unmeasured

USUAL = a_reading({"x": np.ones(50), "carrier": ["UA"] * 50})


def test_columns_that_are_there_as_they_were_are_healthy():
    assert {finding.verdict for finding in found(schema, USUAL, USUAL).values()} == {Verdict.HEALTHY}


def test_a_lost_column_is_critical_and_named():
    finding = found(schema, USUAL, a_reading({"x": np.ones(50)}))["carrier"]

    assert finding.verdict is Verdict.CRITICAL
    assert finding.reason == "the column is gone"


def test_a_number_that_has_become_text_is_critical_and_says_so():
    finding = found(schema, USUAL, a_reading({"x": ["hot"] * 50, "carrier": ["UA"] * 50}))["x"]

    assert finding.verdict is Verdict.CRITICAL
    assert finding.reason == "was numeric, is categorical"


@pytest.mark.parametrize("text", ["12.5", "12,5", " -3", "1e3"])
def test_numbers_that_are_written_as_text_are_said_to_be(text):
    finding = found(schema, USUAL, a_reading({"x": [text] * 48 + ["N/A"] * 2, "carrier": ["UA"] * 50}))["x"]

    assert finding.verdict is Verdict.CRITICAL
    assert finding.reason == f"was numeric, is categorical: texts that read like numbers, e.g. “{text.strip()}”"


def test_a_new_column_is_told_but_not_judged():
    now = a_reading({"x": np.ones(50), "carrier": ["UA"] * 50, "new": np.ones(50)})

    assert "is new" in unmeasured(schema, USUAL, now)["new"]


def test_an_empty_window_says_nothing_of_its_columns():
    now = a_reading({"x": np.empty(0), "carrier": []})

    assert {finding.verdict for finding in found(schema, USUAL, now).values()} == {Verdict.UNKNOWN}


def test_a_reference_without_columns_is_said():
    assert "names no columns" in unmeasured(schema, a_reading(), USUAL)["model"]
