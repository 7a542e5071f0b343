"""What `aiops estimate` says of two tables: the contract, and that nothing odd in them is called healthy or crashes."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from bot.core.errors import ConfigError
from bot.sources.estimate import beyond, chunk_size, overall, told
from bot.sources.features import encoded
from bot.sources.predictions import CLASSES, Asked, class_columns, flags
from bot.sources.values import classes
from bot.stats.estimates import Band

BINARY = Asked("binary", "label", ("score",), chunk_size=1_000)


def scored(seed, n, spread=1.4):
    random = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-random.normal(0, spread, n)))
    return pd.DataFrame({"score": score, "label": random.random(n) < score})


def answer(reference, current, asked=BINARY):
    return told(*(pa.Table.from_pandas(frame, preserve_index=False) for frame in (reference, current)), asked)


USUAL, LIKE, HARDER = scored(1, 10_000), scored(2, 3_000), scored(3, 1_000, spread=0.3)


def test_a_file_like_its_reference_is_healthy_and_its_metrics_are_scikit_learns():
    found = answer(USUAL, LIKE)
    first, rows = found["chunks"][0], LIKE[:1_000]

    assert found["verdict"] == "healthy"
    assert [chunk["rows"] for chunk in found["chunks"]] == [1_000] * 3
    assert set(first["realized"]) == set(first["estimated"]) == set(first["thresholds"]) == set(CLASSES)
    assert first["realized"]["roc_auc"] == pytest.approx(sklearn.roc_auc_score(rows.label, rows.score), abs=1e-9)
    assert first["realized"]["f1"] == pytest.approx(sklearn.f1_score(rows.label, rows.score >= 0.5), abs=1e-9)


def test_thresholds_are_three_deviations_of_realised_chunks_of_the_same_size():
    areas = [sklearn.roc_auc_score(USUAL.label[i : i + 1_000], USUAL.score[i : i + 1_000]) for i in range(0, 10_000, 1_000)]

    lines = answer(USUAL, LIKE)["chunks"][0]["thresholds"]["roc_auc"]

    assert lines == pytest.approx(
        {"lower": np.mean(areas) - 3 * np.std(areas), "upper": min(1, np.mean(areas) + 3 * np.std(areas))}
    )


def test_the_harder_chunk_is_found_without_any_label():
    found = answer(USUAL, pd.concat([LIKE, HARDER]).drop(columns="label"))

    assert [chunk["verdict"] for chunk in found["chunks"]] == ["healthy"] * 3 + ["critical"]
    assert found["chunks"][3]["realized"] == {}
    assert "no row has a label" in " ".join(found["notes"])


def test_concept_drift_is_seen_by_labels_only():
    turned = LIKE.assign(label=~LIKE.label)

    assert answer(USUAL, turned)["verdict"] == "critical"
    assert "realised roc auc" in answer(USUAL, turned)["chunks"][0]["reason"]
    assert answer(USUAL, turned.drop(columns="label"))["verdict"] == "healthy"


def test_labels_that_came_in_part_tell_what_they_can():
    part = LIKE.astype({"label": object})
    part.loc[500:1_999, "label"] = None

    chunks = answer(USUAL, part)["chunks"]

    assert [chunk["labelled"] for chunk in chunks] == [500, 0, 1_000]
    assert [chunk["realized"] != {} for chunk in chunks] == [True, False, True]


def test_one_class_alone_has_no_area_and_it_is_null():
    chunk = answer(USUAL, LIKE.assign(label=False))["chunks"][0]

    assert chunk["realized"]["roc_auc"] is None
    assert chunk["realized"]["accuracy"] is not None


def test_a_rest_is_kept_and_judged_at_its_own_size():
    chunks = answer(USUAL, LIKE[:1_200])["chunks"]

    assert [chunk["rows"] for chunk in chunks] == [1_000, 200]
    assert chunks[1]["thresholds"]["roc_auc"]["lower"] < chunks[0]["thresholds"]["roc_auc"]["lower"]


def test_too_few_rows_are_unknown_and_a_small_rest_spoils_nothing():
    assert answer(USUAL, LIKE[:20])["verdict"] == "unknown"
    assert "20 of 50" in answer(USUAL, LIKE[:20])["chunks"][0]["reason"]
    assert answer(USUAL, LIKE[:1_003])["verdict"] == "healthy"


def test_an_empty_file_is_unknown():
    assert (answer(USUAL, LIKE[:0])["verdict"], answer(USUAL, LIKE[:0])["chunks"]) == ("unknown", [])


def test_a_small_reference_gives_lines_by_chance_and_says_so():
    found = answer(USUAL[:2_000], LIKE)

    assert found["verdict"] == "healthy"
    assert "drawn at random" in " ".join(found["notes"])


def test_rows_are_ordered_by_time_where_it_is_given():
    at = pd.date_range("2026-01-01", periods=3_000, freq="min", tz=UTC)[::-1]

    chunk = answer(USUAL.assign(at=range(10_000)), LIKE.assign(at=at), Asked("binary", "label", ("score",), time="at"))["chunks"][0]

    assert chunk["first"] == datetime(2026, 1, 1, tzinfo=UTC).isoformat()


def test_rows_without_a_score_are_left_out_and_counted():
    odd = LIKE.copy()
    odd.loc[:99, "score"] = [np.nan, np.inf, -1.0, 1.1] * 25

    found = answer(USUAL, odd)

    assert found["current"]["scored"] == 2_900
    assert "100 rows have no usable score" in " ".join(found["notes"])


def test_a_logged_class_is_taken_instead_of_the_threshold():
    frames = (frame.assign(called=frame.score >= 0.3) for frame in (USUAL, LIKE))

    found = answer(*frames, Asked("binary", "label", ("score",), "called", chunk_size=3_000))["chunks"][0]["realized"]

    assert found["recall"] == pytest.approx(sklearn.recall_score(LIKE.label, LIKE.score >= 0.3), abs=1e-9)


def test_several_classes_are_estimated():
    random = np.random.default_rng(4)
    scores = random.dirichlet((1, 2, 1), 6_000)
    labels = (random.random(6_000)[:, None] > scores.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    frame = pd.DataFrame({f"p_{name}": scores[:, k] for k, name in enumerate("abc")} | {"y": np.array(list("abc"))[labels]})

    found = answer(frame[:4_000], frame[4_000:], Asked("multiclass", "y", ("b=p_b", "a=p_a", "c=p_c"), chunk_size=1_000))
    first, rows = found["chunks"][0], frame[4_000:5_000]

    assert found["verdict"] == "healthy"
    assert first["realized"]["roc_auc"] == pytest.approx(
        sklearn.roc_auc_score(rows.y, rows[["p_a", "p_b", "p_c"]], multi_class="ovr"), abs=1e-9
    )
    assert first["estimated"]["f1"]["lower"] < first["realized"]["f1"] < first["estimated"]["f1"]["upper"]


def test_numbers_are_estimated_but_not_their_r2():
    random = np.random.default_rng(5)
    x = random.normal(size=(5_000, 2))
    frame = pd.DataFrame(
        {"x": x[:, 0], "z": x[:, 1], "y": x[:, 0] + random.normal(size=5_000), "c": random.choice(["a", "b"], 5_000)}
    )
    asked = Asked("regression", "y", prediction="x", chunk_size=1_000)

    found = answer(frame[:4_000], frame[4_000:], asked)
    chunk = found["chunks"][0]

    assert found["verdict"] == "healthy"
    assert set(chunk["estimated"]) == {"mae", "rmse"}
    assert chunk["realized"]["r2"] == pytest.approx(sklearn.r2_score(frame.y[4_000:], frame.x[4_000:]), abs=1e-9)
    assert chunk["estimated"]["mae"]["lower"] < chunk["realized"]["mae"] < chunk["estimated"]["mae"]["upper"]
    assert "r2 is not estimated" in " ".join(found["notes"])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked("binary", "nope", ("score",)), "reference file has no column 'nope'"),
        (Asked("binary", "label", ("nope",)), "no column 'nope'"),
        (Asked("binary", "label", ("score", "label")), "--score once"),
        (Asked("binary", "score", ("score",)), "other numbers than 0 and 1"),
        (Asked("multiclass", "label", ("score",)), "a score column each"),
        (Asked("multiclass", "label", ("true=score", "no=score")), "'false' has no score column"),
        (Asked("regression", "label"), "--prediction once"),
    ],
)
def test_a_wrong_column_is_one_sentence(asked, words):
    with pytest.raises(ConfigError, match=words):
        answer(USUAL, LIKE, asked)


def test_a_reference_without_labels_teaches_nothing_and_says_so():
    with pytest.raises(ConfigError, match="No row of the reference"):
        answer(USUAL.assign(label=None), LIKE)


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([1, 0, None], [1, 0, np.nan]),
        ([1.0, 0.0, np.nan], [1, 0, np.nan]),
        ([-1, 1, 1], [0, 1, 1]),
        ([True, None, False], [1, np.nan, 0]),
        (["yes", "No", None], [1, 0, np.nan]),
        ([None, None, None], [np.nan] * 3),
    ],
)
def test_two_classes_are_read_however_they_are_written(values, known):
    assert flags(pa.chunked_array([pa.array(values)]), "label") == pytest.approx(known, nan_ok=True)


def test_words_need_to_be_told_which_is_true():
    column = pa.chunked_array([["late", "on time", None]])

    assert flags(column, "label", "late") == pytest.approx([1, 0, np.nan], nan_ok=True)
    with pytest.raises(ConfigError, match="'late'; name the class that counts as true with --positive"):
        flags(column, "label")


def test_a_whole_number_is_the_same_class_whatever_its_type():
    assert classes(pa.chunked_array([[1.0, None, 2.5]])) == ["1", None, "2.5"]
    assert classes(pa.chunked_array([[1, 2]])) == ["1", "2"]


def test_score_columns_find_their_class_by_name_or_by_order():
    table = pa.table({"p_b": [0.1], "p_a": [0.9], "first": [0.1], "second": [0.9]})

    assert class_columns(["p_b", "p_a"], table, ["a", "b"]) == {"a": "p_a", "b": "p_b"}
    assert class_columns(["first", "second"], table, ["10", "9"]) == {"9": "first", "10": "second"}
    with pytest.raises(ConfigError, match="2 score columns stand for 3 classes"):
        class_columns(["first", "second"], table, ["a", "b", "c"])


def test_texts_are_coded_by_how_frequent_they_are_and_names_of_rows_are_left_out():
    then = pa.table({"c": ["a", "b", "b"], "gone": [1, 2, 3], "at": pa.array([1, 2, 3], pa.timestamp("s"))})
    now = pa.table({"c": ["b", None, "new"], "at": pa.array([1, 2, 3], pa.timestamp("s"))})

    first, second, left_out = encoded(then, now, set())

    assert first[:, 0].tolist() == [1, 0, 0]
    assert second[:, 0] == pytest.approx([0, np.nan, np.nan], nan_ok=True)
    assert left_out == ["gone", "at"]


def test_better_than_usual_is_no_trouble():
    assert not beyond("roc_auc", Band(0.99, 0.98, 1.0), (0.7, 0.8))
    assert not beyond("mae", Band(0.1, 0.0, 0.2), (0.5, 0.8))
    assert beyond("mae", Band(1.0, 0.9, 1.1), (0.5, 0.8))


@pytest.mark.parametrize(
    ("rows", "usable", "size"), [(50_000, 50_000, 5_000), (50_003, 80_000, 5_001), (300, 9_000, 200), (90_000, 9_000, 900)]
)
def test_there_are_ten_chunks_unless_they_would_be_too_small_or_the_reference_is(rows, usable, size):
    assert chunk_size(rows, usable) == size


def test_one_unknown_chunk_leaves_the_whole_unknown():
    assert overall([{"rows": 100, "verdict": "unknown"}, {"rows": 100, "verdict": "healthy"}]).value == "unknown"


odd = st.lists(st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e308, 5e-324, np.nan, np.inf, None]), min_size=1, max_size=12)
text = st.lists(st.sampled_from(["", "a", "yes", "no", None, "<!channel>", "\x00"]), min_size=1, max_size=12)


@settings(max_examples=60)
@given(st.sampled_from(["binary", "multiclass", "regression"]), odd | text, odd | text, odd | text)
def test_whatever_the_columns_hold_there_is_an_answer_or_one_sentence(task, label, score, other):
    rows = min(map(len, (label, score, other))) * 60
    table = pa.table({name: pa.array((v * 60)[:rows]) for name, v in {"label": label, "score": score, "other": other}.items()})
    names = ("score", "other") if task == "multiclass" else ("score",)

    try:
        found = told(table, table.drop_columns("label"), Asked(task, "label", names))
    except ConfigError:
        return

    assert found["verdict"] in ("healthy", "critical", "unknown")
