import itertools

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from scipy import stats

from bot.core.errors import SourceUnavailable
from bot.sources.compare import compare_tables, compared

RNG = np.random.default_rng(20)


def measured(told, feature, check):
    found = next(f for f in told["features"] if f["feature"] == feature)
    return next(m for m in found["measurements"] if m["check"] == check)


def open_deciles(values):
    edges = np.unique(np.quantile(values, np.linspace(0, 1, 11)))
    edges[[0, -1]] = -np.inf, np.inf
    return edges


def psi_of(p, q):
    p, q = ((side + 0.5) / (side + 0.5).sum() for side in (p, q))
    return float(((q - p) * np.log(q / p)).sum())


def counts(values, edges):
    return np.array([np.sum((values > low) & (values <= high)) for low, high in itertools.pairwise(edges)])


@pytest.mark.parametrize("ties", [False, True])
def test_numbers_agree_with_scipy_to_the_last_digit(ties):
    then, now = RNG.normal(size=5_000), RNG.normal(0.2, 1, 3_000)
    if ties:
        then, now = np.maximum(then.round(1), 0), np.maximum(now.round(1), 0)
    told = compared(pa.table({"x": then}), pa.table({"x": now}))
    oracle = stats.ks_2samp(then, now, method="asymp")
    edges = open_deciles(then)

    assert measured(told, "x", "ks")["value"] == pytest.approx(oracle.statistic, abs=1e-12)
    assert measured(told, "x", "ks")["p_value"] == pytest.approx(oracle.pvalue, rel=1e-9)
    assert measured(told, "x", "psi")["value"] == pytest.approx(psi_of(counts(then, edges), counts(now, edges)), abs=1e-12)


def test_categories_agree_with_scipy_to_the_last_digit():
    then, now = RNG.choice(list("abcd"), 4_000), RNG.choice(list("bcde"), 900, p=[0.1, 0.2, 0.3, 0.4])
    told = compared(pa.table({"c": then}), pa.table({"c": now}))
    table = np.array([[np.sum(side == level) for level in "abcde"] for side in (then, now)])
    oracle = stats.chi2_contingency(table, correction=False)

    assert measured(told, "c", "chi2")["value"] == pytest.approx(oracle.statistic, rel=1e-12)
    assert measured(told, "c", "cramers_v")["value"] == pytest.approx(np.sqrt(oracle.statistic / table.sum()), rel=1e-12)
    assert measured(told, "c", "psi")["value"] == pytest.approx(psi_of(*table), rel=1e-12)


def test_missing_values_are_counted_apart_and_left_out():
    then = pa.table({"x": pa.array([None, float("nan"), *RNG.normal(size=998)])})
    now = pa.table({"x": pa.array([*[None] * 500, *then.column("x").to_pylist()[2:502]])})
    told = compared(then, now)

    assert told["features"][0]["missing"] == {"reference": 0.002, "current": 0.5}
    assert measured(told, "x", "ks")["verdict"] == "healthy"


def test_a_column_that_loses_its_values_has_broken_even_where_the_rest_stays_as_it_was():
    then = pa.table({"x": RNG.normal(size=1_000)})
    told = compared(then, pa.table({"x": pa.array([*[None] * 600, *then.column("x").to_pylist()[:400]])}))

    assert measured(told, "x", "missing")["value"] == pytest.approx(0.6)
    assert [(f["check"], f["verdict"]) for f in told["findings"]] == [("missing", "critical")]


def test_a_column_of_nothing_is_of_the_other_sides_kind_and_lost():
    told = compared(pa.table({"x": RNG.normal(size=100)}), pa.table({"x": pa.nulls(100)}))

    assert told["features"][0]["kind"] == "numeric"
    assert measured(told, "x", "missing")["verdict"] == "critical"


def test_times_are_left_out_with_a_word():
    at = pa.array(range(200), pa.timestamp("s"))
    table = pa.table({"at": at, "day": at.cast(pa.date32()), "x": RNG.normal(size=200)})
    told = compared(table, table)

    assert [f["feature"] for f in told["features"]] == ["x"]
    assert told["left_out"] == [{"feature": "at", "reason": "a time"}, {"feature": "day", "reason": "a time"}]


def test_a_time_that_has_become_text_has_changed_its_type():
    told = compared(pa.table({"at": pa.array([1], pa.timestamp("s"))}), pa.table({"at": ["yesterday"]}))

    assert told["findings"][0]["reason"] == "was time, is categorical"


def test_chi_square_grows_with_the_rows_so_v_judges_for_it():
    told = compared(pa.table({"c": ["a"] * 900 + ["b"] * 100}), pa.table({"c": ["a"] * 100 + ["b"] * 900}))

    assert measured(told, "c", "chi2")["verdict"] == measured(told, "c", "cramers_v")["verdict"] == "critical"
    assert "chi2" not in {f["check"] for f in told["findings"]}


def test_the_same_file_twice_has_not_moved(tmp_path):
    table = pa.table({"x": RNG.normal(size=500), "c": RNG.choice(["a", "b"], 500), "one": ["same"] * 500, "flat": [1.0] * 500})
    pa.csv.write_csv(table, tmp_path / "a.csv")
    pa.parquet.write_table(table, tmp_path / "b.parquet")
    told = compare_tables(tmp_path / "a.csv", tmp_path / "b.parquet")

    assert told["reference"] == told["current"] == {"rows": 500}
    assert {m["verdict"] for f in told["features"] for m in f["measurements"]} == {"healthy"}
    assert told["findings"] == []


def test_a_large_shift_is_found_and_said():
    told = compared(pa.table({"x": RNG.normal(size=1_000)}), pa.table({"x": RNG.normal(1, 1, 1_000)}))

    assert {(f["check"], f["feature"], f["verdict"]) for f in told["findings"]} == {
        ("ks", "x", "critical"),
        ("psi", "x", "critical"),
    }


def test_one_outlier_does_not_hide_a_shift():
    then = np.append(RNG.normal(size=100_000), 1e6)
    told = compared(pa.table({"x": then}), pa.table({"x": RNG.normal(0.5, 1, 10_000)}))

    assert measured(told, "x", "ks")["value"] > 0.15
    assert measured(told, "x", "psi")["value"] > 0.2


def test_lost_new_and_changed_columns_are_findings():
    told = compared(pa.table({"a": [1.0], "b": [1.0], "c": ["x"]}), pa.table({"b": ["1"], "c": ["x"], "d": [1]}))

    assert {(f["feature"], f["verdict"], f["reason"]) for f in told["findings"]} == {
        ("a", "critical", "the column is gone"),
        ("b", "critical", "was numeric, is categorical"),
        ("d", "unknown", "the column is new"),
    }


@pytest.mark.parametrize("values", [[], [None, None], [float("nan")], [float("inf")]])
def test_a_column_with_few_or_no_values_is_unknown_never_healthy(values):
    told = compared(pa.table({"x": RNG.normal(size=100)}), pa.table({"x": pa.array(values, pa.float64())}))

    assert {m["verdict"] for m in told["features"][0]["measurements"]} == {"unknown"}


def test_few_rows_are_not_enough():
    told = compared(pa.table({"x": [1.0, 2.0]}), pa.table({"x": [3.0]}))

    assert measured(told, "x", "ks")["verdict"] == "unknown"


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(SourceUnavailable, match="There is no file"):
        compare_tables(tmp_path / "a.csv", tmp_path / "b.csv")
