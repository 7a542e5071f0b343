"""Findings of one reading: the model's own lines, the features' importance, and a log that can or cannot be read."""

from dataclasses import replace

import pytest

from bot.core.checks import Check, Family, Measurement, Threshold
from bot.core.findings import Verdict
from bot.flow.detect import blind, detect, readable
from bot.flow.tune import tuned
from tests.fakes.nouns import DAY
from tests.fakes.readings import a_reading

OWN, HOUSE, WIND = Threshold(warning=0.3), Threshold(warning=0.1), Threshold(warning=0.9)
PSI = Check("psi", Family.DRIFT, "index", lambda _r, _c: iter([Measurement("temp", 0.2, 9), Measurement("wind", 0.2, 9)]), HOUSE)


@pytest.mark.parametrize(
    ("overrides", "temp", "wind"),
    [
        ({}, HOUSE, HOUSE),
        ({"psi": OWN}, OWN, OWN),
        ({"psi.wind": WIND}, HOUSE, WIND),
        ({"psi": OWN, "psi.wind": WIND}, OWN, WIND),
        ({"psi_large": OWN, "missing": WIND}, HOUSE, HOUSE),
    ],
)
def test_a_model_may_draw_its_own_lines_for_a_check_or_for_one_column(overrides, temp, wind):
    check = tuned(PSI, overrides)

    assert (check.judged_by("temp"), check.judged_by("wind")) == (temp, wind)


def test_a_finding_carries_how_much_the_model_leans_on_its_column(room):
    watch = replace(room.model.watches[0], checks=("psi",))
    room.lays(checks={"psi": PSI})
    found = detect(room.desk, room.model, watch, a_reading(), a_reading())

    assert [(f.subject, f.verdict, f.importance) for f in found] == [
        ("temp", Verdict.WARNING, 0.4),
        ("wind", Verdict.WARNING, 0.01),
    ]


def test_a_log_that_was_read_is_healthy_and_one_that_was_not_is_unknown(room):
    read, lost = readable(room.model, a_reading()), blind(room.model, DAY, "The log is gone; mount it.")

    assert (read.verdict, lost.verdict, lost.reason) == (Verdict.HEALTHY, Verdict.UNKNOWN, "The log is gone; mount it.")
    assert read.key == lost.key
