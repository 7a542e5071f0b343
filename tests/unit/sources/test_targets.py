"""How labels and predictions are spread is told of every task, read at once or in slices; what is awaited is not missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.checks.chi_square import chi_square
from bot.checks.ks import ks
from bot.checks.missing import missing
from bot.checks.psi import psi
from bot.core.merging import gathered, merged
from bot.core.models import LogColumns, Model
from bot.core.profiles import NumericProfile
from bot.core.windows import Window
from bot.sources import files, slices
from bot.sources.readings import reading_of

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
HOUR = Window.ending(NOON, timedelta(hours=1))
LOG = LogColumns(prediction="decided")
MODEL = Model("m", "test", "ml", "log", "", HOUR, (), columns=LOG)


def log(**columns):
    n = len(next(iter(columns.values())))
    at = [NOON.timestamp() - 3_600 + 3_600 * i / n for i in range(n)]
    return pa.table({"time": at, "score": np.full(n, 0.5), **columns})


def read(table, task="binary", like=None, as_of=None):
    return reading_of(replace(MODEL, task=task), HOUR, table, like, as_of)


def flags(yes, no):
    return pa.array([True] * yes + [False] * no)


def test_labels_and_decisions_of_a_binary_model_are_counted():
    found = read(log(label=flags(30, 70), decided=flags(40, 60))).targets

    assert {name: dict(profile.counts) for name, profile in found.items()} == {
        "label": {"true": 30, "false": 70},
        "decided": {"true": 40, "false": 60},
    }


def test_a_label_that_is_awaited_is_not_missing():
    table = log(label=pa.array([True, False, None, None]), decided=flags(2, 2))
    then, now = read(log(label=flags(2, 2), decided=flags(2, 2))), read(table)

    assert (now.targets["label"].count, now.targets["label"].missing) == (2, 0)
    assert "label" not in {measured.subject for measured in missing.measure(then, now)}


def test_a_label_that_came_later_is_not_there_yet():
    came = [NOON.timestamp() - 60, NOON.timestamp() + 60]
    found = read(log(label=flags(1, 1), label_time=came), as_of=NOON).targets["label"]

    assert dict(found.counts) == {"true": 1}


def test_of_several_classes_the_true_ones_and_the_chosen_ones_are_told():
    told = log(label=pa.array(["a", "b", None]), decided=pa.array(["a", "a", "c"]), score=np.full(3, 0.9))
    found = read(told, "multiclass").targets

    assert dict(found["label"].counts) == {"a": 1, "b": 1}
    assert dict(found["decided"].counts) == {"a": 2, "c": 1}


@pytest.mark.parametrize("task", ["regression", "ranking"])
def test_of_numbers_the_true_ones_are_told_at_the_references_cut_points(task):
    model = replace(MODEL, columns=LogColumns(group="query"))
    truth, query = np.arange(100.0), [f"q{i // 10}" for i in range(100)]
    then = reading_of(replace(model, task=task), HOUR, log(label=truth, query=query), None, None)
    now = reading_of(replace(model, task=task), HOUR, log(label=truth + 50, query=query), then.distributions, None)
    (moved,) = [found for found in ks.measure(then, now) if found.subject == "label"]

    assert isinstance(now.targets["label"], NumericProfile)
    assert np.array_equal(now.targets["label"].cuts, then.targets["label"].cuts)
    assert moved.interval[0] <= 0.5 <= moved.interval[1]


def test_a_log_without_labels_tells_none_and_one_whose_labels_are_awaited_is_not_known():
    then, now = read(log(label=flags(300, 700))), read(log(label=pa.array([None] * 500, pa.bool_())))
    (found,) = [found for found in psi.measure(then, now) if found.subject == "label"]

    assert read(log(decided=flags(1, 1))).targets == {}
    assert found.reason == "no values on one side, or another type"


def test_a_shift_of_labels_is_measured_as_the_textbook_does():
    then, now = read(log(label=flags(300, 700))), read(log(label=flags(600, 400)))
    by = {check.name: found for check in (psi, chi_square) for found in check.measure(then, now) if found.subject == "label"}

    p, q = (np.array([300.5, 700.5]) / 1_001, np.array([600.5, 400.5]) / 1_001)
    assert by["psi"].value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), abs=1e-9)
    assert by["chi_square"].value == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_in_slices_they_are_told_as_at_once(tmp_path, monkeypatch, task):
    random = np.random.default_rng(0)
    classes = pa.array(random.choice(["a", "b", "c"], 3_000))
    label = {"binary": flags(900, 2_100), "multiclass": classes, "regression": random.normal(size=3_000)}[task]
    decided = flags(1_000, 2_000) if task == "binary" else classes
    pq.write_table(log(label=label, decided=decided), tmp_path / "log.parquet", row_group_size=250)
    source, model = files.FileSource(tmp_path / "log.parquet"), replace(MODEL, task=task)
    then = source.reading(model, HOUR)
    now = source.reading(model, HOUR, then.distributions)
    monkeypatch.setattr(files, "MANY", 0)
    monkeypatch.setattr(files, "SLICE", 700)
    monkeypatch.setattr(slices, "MOST_OUTCOMES", 10_000)

    for at_once, like in ((then, None), (now, then.distributions)):
        in_slices = source.reading(model, HOUR, like).targets
        assert {name: counted(profile) for name, profile in in_slices.items()} == {
            name: counted(profile) for name, profile in at_once.targets.items()
        }


def counted(profile):
    """What a profile counts, of either kind."""
    return [*profile.bins, profile.rows] if isinstance(profile, NumericProfile) else [dict(profile.counts), profile.rows]


def test_stretches_put_together_have_their_targets_too():
    one, other = read(log(label=flags(3, 7))), read(log(label=flags(5, 5)))

    assert dict(merged([one, other], NOON).targets["label"].counts) == {"true": 8, "false": 12}
    assert dict(gathered(one, [one, other]).targets["label"].counts) == {"true": 8, "false": 12}
