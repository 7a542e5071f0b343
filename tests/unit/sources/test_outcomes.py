"""What was predicted and what came true, by the model's task."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from bot.core.errors import SourceUnavailable
from bot.core.models import LogColumns, Model
from bot.core.readings import MULTICLASS, REGRESSION
from bot.core.windows import Window
from bot.sources.outcomes import outcomes_of, said_of, thinned
from bot.sources.readings import reading_of
from bot.sources.table import sample_of
from tests.fakes.readings import numbers, outcomes

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = Window.ending(NOON, timedelta(days=1))
COLUMNS = LogColumns(prediction="chosen")
LIKE = {"score": numbers([0.1])}


def log(**columns):
    n = len(next(iter(columns.values())))
    return pa.table({"time": [NOON.timestamp() - 60.0] * n, **columns})


def model(task):
    return Model("m", "test", "ml", "log", "", DAY, (), columns=COLUMNS, task=task)


def told(table, task="binary"):
    return outcomes_of(table, COLUMNS, said_of(table, COLUMNS, task), np.zeros(len(table), np.int64), as_of=None, task=task)


def test_a_regressions_numbers_are_kept_with_the_true_ones():
    found = told(log(score=[-5.0, 120.0, float("inf"), 3.0], label=[-4.0, None, 1.0, 2.5]), REGRESSION)

    assert (found.scores.tolist(), found.values.tolist()) == ([-5.0, 3.0], [-4.0, 2.5])
    assert (found.labels.tolist(), found.awaited) == ([False, False], 1)


def test_of_several_classes_a_row_is_right_or_wrong_whatever_type_says_it():
    table = log(score=[0.9, 0.5, 0.4, 0.7], label=[1.0, 2.0, None, 3.0], chosen=[1, 3, 1, None])

    found = told(table, MULTICLASS)

    assert (found.scores.tolist(), found.labels.tolist(), found.awaited) == ([0.9, 0.5], [True, False], 1)


def test_of_several_classes_the_chosen_one_must_be_known():
    table = log(score=[0.9], label=["a"])

    with pytest.raises(SourceUnavailable, match="no column 'chosen'; name it as `prediction`"):
        told(table, MULTICLASS)
    with pytest.raises(SourceUnavailable, match="does not say the chosen class"):
        outcomes_of(
            table, LogColumns(), said_of(table, LogColumns(), MULTICLASS), np.zeros(1, np.int64), as_of=None, task=MULTICLASS
        )


def test_a_decided_class_is_kept_where_every_row_has_one():
    assert told(log(score=[0.9, 0.2], label=[1, 0], chosen=[True, False])).chosen.tolist() == [True, False]
    assert told(log(score=[0.9, 0.2], label=[1, 0], chosen=[True, None])).chosen.tolist() == []
    assert told(log(score=[0.9, 0.2], label=[1, 0], chosen=["yes", "no"])).chosen.tolist() == []


@pytest.mark.parametrize(("task", "words"), [("binary", "true and false or 1 and 0"), (REGRESSION, "must hold numbers")])
def test_labels_of_the_wrong_kind_are_said_to_be_wrong(task, words):
    with pytest.raises(SourceUnavailable, match=words):
        told(log(score=[0.9], label=["late"]), task)


def test_predictions_that_are_no_numbers_are_none():
    assert len(told(log(score=["x"], label=[1.0]), REGRESSION)) == 0


def test_a_window_knows_the_scores_of_all_its_rows_and_a_reference_only_the_labelled_ones():
    table = log(score=[0.9, 0.2, float("nan")], label=[1, None, 0], chosen=[True, False, True])

    now, then = (reading_of(model("binary"), DAY, table, like, None) for like in (LIKE, None))

    assert (now.scored.tolist(), now.chosen.tolist()) == ([0.9, 0.2], [True, False])
    assert (then.scored.tolist(), then.chosen.tolist(), len(then.outcomes)) == ([], [], 1)


def test_a_reading_and_a_sample_know_their_task():
    table = log(score=[-5.0], label=[-4.0])

    assert reading_of(model(REGRESSION), DAY, table, LIKE, None).task == REGRESSION
    assert sample_of(model(REGRESSION), table, 5, None).scores.tolist() == [-5.0]


def test_a_large_reference_keeps_an_even_choice_of_its_rows():
    found = thinned(outcomes(np.arange(1_000) / 1_000, np.zeros(1_000)), 11)

    assert (len(found), found.scores[0], found.scores[-1]) == (11, 0.0, 0.999)
    assert thinned(None) is None


def test_whole_rows_tell_numbers_of_numbers_and_only_right_or_wrong_of_classes():
    numeric = reading_of(model(REGRESSION), DAY, log(score=[-5.0], label=[-4.0]), LIKE, None).joint
    several = reading_of(model(MULTICLASS), DAY, log(score=[0.9, 0.8], label=["a", "b"], chosen=["a", "a"]), LIKE, None).joint

    assert (numeric.scores.tolist(), numeric.labels.tolist()) == ([-5.0], [-4.0])
    assert (several.scores.tolist(), several.labels.tolist()) == ([0.9, 0.8], [1.0, 0.0])
