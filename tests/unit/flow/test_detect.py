"""Findings of one reading: the model's own lines, the features' importance, and a log that can or cannot be read."""

from dataclasses import replace

import pytest

from bot.core.checks import Check, Family, Measurement, NotMeasured, Threshold
from bot.core.findings import Verdict
from bot.flow.detect import blind, detect, readable, sliced
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


def sized(_reference, current):
    """The number of rows, as drift of temp; where there are none, nothing is known."""
    yield Measurement("temp", current.rows / 1_000, current.rows) if current.rows else NotMeasured("temp", "no rows")


SLICED = Check("psi", Family.DRIFT, "nats", sized, HOUSE, {"temp": OWN}, label="PSI")


def seen(room, page, slices):
    model = replace(room.model, segments_page=page)
    room.lays(checks={"psi": SLICED})
    reference = a_reading(rows=100, slices={name: a_reading() for name in ("o=a", "o=b", "o=c")})
    current = a_reading(rows=100, slices={name: a_reading(rows=rows) for name, rows in slices.items()})
    return detect(room.desk, model, replace(model.watches[0], checks=("psi",)), reference, current)


def test_a_slice_is_judged_by_the_columns_own_line_and_carries_its_importance_and_name(room):
    (whole, bad) = seen(room, False, {"o=a": 400, "o=b": 100, "o=c": 0, "o=new": 900})

    assert (whole.subject, whole.verdict, whole.slice) == ("temp", Verdict.HEALTHY, "")
    assert (bad.subject, bad.slice, bad.column) == ("temp · o=a", "o=a", "temp")
    assert (bad.verdict, bad.threshold, bad.importance, bad.named, bad.unit) == (Verdict.WARNING, 0.3, 0.4, "PSI", "nats")


def test_healthy_slices_are_told_only_where_slices_may_open_incidents(room):
    assert [f.subject for f in seen(room, True, {"o=a": 400, "o=b": 100})] == ["temp", "temp · o=a", "temp · o=b"]


def test_the_correction_for_many_looks_is_over_all_slices(room):
    chances = {"o=a": 0.04, "o=b": 0.04, "o=c": 0.9}
    line = replace(HOUSE, significance=0.05)
    check = Check("psi", Family.DRIFT, "", lambda _r, c: iter([Measurement("temp", 0.2, 9, p_value=c.rows / 100)]), line)
    slices = {name: a_reading(rows=int(p * 100)) for name, p in chances.items()}
    one, many = ({k: v for k, v in slices.items() if k in kept} for kept in ({"o=a"}, chances))

    assert len(sliced(check, room.model, a_reading(slices=slices), a_reading(slices=one))) == 1
    assert len(sliced(check, room.model, a_reading(slices=slices), a_reading(slices=many))) == 0
