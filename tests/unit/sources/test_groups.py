"""Which rows were ranked together, and from when on they tell anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.core.errors import SourceUnavailable
from bot.core.models import LogColumns, Model
from bot.core.readings import RANKING
from bot.core.windows import Window
from bot.sources import files, slices
from bot.sources.groups import grouped, whole
from bot.sources.outcomes import outcomes_of, said_of
from bot.sources.readings import reading_of
from bot.sources.table import sample_of
from tests.fakes.readings import numbers

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
HOUR = Window.ending(NOON, timedelta(hours=1))
COLUMNS = LogColumns(group="query")
MODEL = Model("m", "test", "ml", "log", "", HOUR, (), columns=COLUMNS, task=RANKING, top=3)
LIKE = {"score": numbers([0.1])}


def log(**columns):
    n = len(next(iter(columns.values())))
    return pa.table({"time": [NOON.timestamp() - 60.0] * n, **columns})


def told(table, as_of=None):
    return outcomes_of(table, COLUMNS, said_of(table, COLUMNS, RANKING), np.zeros(len(table), np.int64), as_of=as_of, task=RANKING)


def test_a_group_has_one_number_wherever_it_comes():
    one, other = (grouped(pa.table({"query": names}), "query")[0] for names in (["a", "b", "a"], ["b", "c"]))

    assert one[0] == one[2] != one[1] == other[0]


def test_a_group_may_be_named_by_numbers():
    found, member = grouped(pa.table({"query": [2**60 + 1, 2**60 + 2, 2**60 + 1]}), "query")

    assert found[0] == found[2] != found[1]
    assert member.all()


def test_a_row_without_a_name_is_in_no_group():
    assert grouped(pa.table({"query": ["a", None, ""]}), "query")[1].tolist() == [True, False, False]
    assert grouped(pa.table({"query": pa.array([None, None])}), "query")[1].tolist() == [False, False]


def test_of_no_rows_there_are_no_groups():
    found, _ = grouped(pa.table({"query": pa.array([], pa.string())}), "query")

    assert whole(found, np.empty(0, bool)).tolist() == []


@pytest.mark.parametrize(("name", "words"), [("query", "has no column 'query'"), ("", "does not say which items")])
def test_a_log_that_names_no_groups_is_told_what_to_name(name, words):
    with pytest.raises(SourceUnavailable, match=f"{words}.*`group` under the model's columns"):
        grouped(log(score=[1.0]), name)


def test_relevances_are_kept_with_their_scores():
    found = told(log(score=[-5.0, 7.5], label=[0, 3], query=["a", "a"]))

    assert (found.scores.tolist(), found.values.tolist(), found.labels.tolist()) == ([-5.0, 7.5], [0.0, 3.0], [False, True])
    assert found.groups[0] == found.groups[1]


def test_half_a_list_says_nothing_so_a_group_waits_for_its_last_label_and_score():
    table = log(
        score=[1.0, 2.0, 3.0, 4.0, float("nan"), 6.0, 7.0],
        label=[1, None, 0, 1, 1, 0, 1],
        query=["labels late", "labels late", "all", "all", "no score", "no score", None],
    )

    found = told(table)

    assert (found.scores.tolist(), found.awaited) == ([3.0, 4.0], 1)


def test_a_label_that_came_after_the_look_is_awaited_with_its_whole_group():
    came = [NOON.timestamp() + late for late in (-9.0, 9.0)]

    assert len(told(log(score=[1.0, 2.0], label=[1, 0], query=["a", "a"], label_time=came), NOON)) == 0


def test_a_relevance_below_nothing_is_refused():
    with pytest.raises(SourceUnavailable, match="holds relevances below 0; leave empty what nobody judged"):
        told(log(score=[1.0], label=[-1], query=["a"]))


def test_a_reading_knows_how_many_items_count_and_its_whole_rows_tell_no_shares():
    table = log(score=[-5.0, 7.5], label=[0, 3], query=["a", "a"])

    found = reading_of(MODEL, HOUR, table, LIKE, None)

    assert (found.task, found.top, found.scored.tolist()) == (RANKING, 3, [-5.0, 7.5])
    assert np.isnan([*found.joint.scores, *found.joint.labels]).all()
    assert sample_of(MODEL, table, 5, None).labels.tolist() == [False, True]


@pytest.fixture
def ranked_log(tmp_path, monkeypatch):
    """Write an hour of 300 queries of ten items each in row groups that cut through them; read it 700 rows at a time."""
    monkeypatch.setattr(files, "MANY", 0)
    monkeypatch.setattr(files, "SLICE", 700)
    random, n = np.random.default_rng(3), 3_000
    at = (NOON - timedelta(hours=1)).timestamp() + np.arange(n)
    columns = {"time": at, "score": random.normal(size=n), "label": random.integers(0, 3, n), "query": np.arange(n) // 10}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet", row_group_size=333)
    return files.FileSource(tmp_path / "log.parquet")


def test_groups_that_lie_in_two_slices_are_one(ranked_log, monkeypatch):
    in_slices = ranked_log.reading(MODEL, HOUR, LIKE).outcomes
    monkeypatch.undo()
    at_once = ranked_log.reading(MODEL, HOUR, LIKE).outcomes

    assert in_slices.groups.tolist() == at_once.groups.tolist()
    assert np.unique(in_slices.groups).size == 300


def test_of_very_many_rows_whole_groups_are_drawn(ranked_log, monkeypatch):
    monkeypatch.setattr(slices, "MOST_OUTCOMES", 1_000)
    _, rows = np.unique(ranked_log.reading(MODEL, HOUR, LIKE).outcomes.groups, return_counts=True)

    assert set(rows) == {10}
    assert 60 < len(rows) < 140


def test_another_way_to_group_the_rows_is_another_model_of_the_same_rows(ranked_log):
    alone = ranked_log.reading(replace(MODEL, columns=replace(COLUMNS, group="time")), HOUR, LIKE)

    assert np.unique(alone.outcomes.groups).size == 3_000
